"""The hub measured beside its plain peer, on the same mongod, in the same run.

`load` is what every measurement shares: clients that ask again as soon as they are answered. `commands` measures commits
alone: the hub's committer beside `plain`, one transaction for each command. `serving` measures the hub as its clients meet
it: GraphQL over HTTP, served by a process of its own. `reading` asks `questions` in companies of several sizes, which `rows`
makes, to see whether a page costs the same in each. `report` says what came out, ratios first.

Figures of a busy or a shared machine are worth little; ratios stand more. So contenders take turns within each round,
which spreads what else the machine does over all of them, and the median of the rounds is what is told.
"""
