// Fastify and Mercurius: compiled queries, graphql-transport-ws, the emitter in memory that is its default, a topic for each interaction.
import Fastify from 'fastify'
import mercurius from 'mercurius'
import { announced, caughtUp, progressed, typeDefs } from './frames.js'

const app = Fastify({ logger: false })

app.register(mercurius, {
  schema: typeDefs,
  jit: 1,
  subscription: { onConnect: ({ payload }) => typeof payload?.token === 'string' },
  resolvers: {
    Mutation: {
      async reportProgress (_, { input }, { pubsub }) {
        const { frame, payload } = progressed(input)
        await pubsub.publish({ topic: input.id, payload: { interactionProgress: frame } })
        return payload
      }
    },
    Subscription: {
      interactionProgress: {
        async subscribe (_, { interactionId }, { pubsub }) {
          const queue = await pubsub.subscribe(interactionId)
          queue.push({ interactionProgress: caughtUp() })
          return queue
        }
      }
    }
  }
})

await app.listen({ host: '127.0.0.1', port: 0, backlog: 2048 })
announced(app.server.address().port)
