// graphql-ws over ws, executed by graphql-js; each text is parsed and validated once, each interaction has a set of queues.
import { createServer } from 'node:http'
import { buildSchema, execute, GraphQLError, parse, validate } from 'graphql'
import { useServer } from 'graphql-ws/use/ws'
import { WebSocketServer } from 'ws'
import { announced, caughtUp, progressed, typeDefs } from './frames.js'

const listeners = new Map()

// What waits for one subscriber, as an async iterator.
class Queue {
  constructor (interaction) {
    this.interaction = interaction
    this.waiting = []
    this.reader = null
    this.isOver = false
    if (!listeners.has(interaction)) listeners.set(interaction, new Set())
    listeners.get(interaction).add(this)
  }

  push (value) {
    if (this.reader) {
      this.reader({ value, done: false })
      this.reader = null
    } else {
      this.waiting.push(value)
    }
  }

  next () {
    if (this.waiting.length > 0) return Promise.resolve({ value: this.waiting.shift(), done: false })
    if (this.isOver) return Promise.resolve({ value: undefined, done: true })
    return new Promise(resolve => { this.reader = resolve })
  }

  return () {
    const others = listeners.get(this.interaction)
    others?.delete(this)
    if (others?.size === 0) listeners.delete(this.interaction)
    this.isOver = true
    this.reader?.({ value: undefined, done: true })
    this.reader = null
    return Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator] () {
    return this
  }
}

const schema = buildSchema(typeDefs)
schema.getMutationType().getFields().reportProgress.resolve = (_, { input }) => {
  const { frame, payload } = progressed(input)
  const value = { interactionProgress: frame }
  for (const queue of listeners.get(input.id) ?? []) queue.push(value)
  return payload
}
schema.getSubscriptionType().getFields().interactionProgress.subscribe = (_, { interactionId }) => {
  const queue = new Queue(interactionId)
  queue.push({ interactionProgress: caughtUp() })
  return queue
}

const known = new Map()

// The document of a text, or what is wrong with it.
function understood (query) {
  if (!known.has(query)) {
    try {
      const document = parse(query)
      const errors = validate(schema, document)
      known.set(query, errors.length > 0 ? { errors } : { document })
    } catch (error) {
      known.set(query, { errors: [error instanceof GraphQLError ? error : new GraphQLError('This is no GraphQL.')] })
    }
  }
  return known.get(query)
}

const server = createServer(async (request, response) => {
  const parts = []
  for await (const part of request) parts.push(part)
  const { query, variables } = JSON.parse(Buffer.concat(parts).toString())
  const { document, errors } = understood(query)
  const answer = Buffer.from(JSON.stringify(errors ? { errors } : await execute({ schema, document, variableValues: variables })))
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length })
  response.end(answer)
})

useServer(
  {
    schema,
    onConnect: ({ connectionParams }) => typeof connectionParams?.token === 'string',
    onSubscribe (_, __, { query, variables, operationName }) {
      const { document, errors } = understood(query)
      return errors ?? { schema, document, variableValues: variables, operationName }
    }
  },
  new WebSocketServer({ server, path: '/graphql' })
)

server.listen({ host: '127.0.0.1', port: 0, backlog: 2048 }, () => announced(server.address().port))
