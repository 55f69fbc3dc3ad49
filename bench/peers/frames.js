// What both peers serve: the hub's streams of one interaction, in the same words, of texts of the same lengths. Nothing is kept
// but a counter for each interaction, and nobody's rights are asked for.
import { randomBytes } from 'node:crypto'

export const typeDefs = `
  type Query { ok: Boolean! }
  type Mutation { reportProgress(input: ReportProgressInput!): InteractionPayload! }
  type Subscription { interactionProgress(interactionId: ID!): FeedFrame! }
  input ReportProgressInput { id: ID!, message: String!, percent: Int, idempotencyKey: String }
  type InteractionPayload { cursor: String, errors: [MutationError!]! }
  type MutationError { code: String!, message: String! }
  enum FeedFrameKind { EVENT CAUGHT_UP }
  type FeedFrame { kind: FeedFrameKind!, cursor: String!, event: InteractionEvent }
  type InteractionEvent { id: ID!, type: String!, sequence: Int!, at: String!, message: String, progress: Progress }
  type Progress { percent: Int, stage: String, message: String }
`

const sequences = new Map()
const salt = randomBytes(25)

// Opaque and of the hub's length. It begins with the moment of its making, in nanoseconds of the clock that the bench reads too.
function cursor () {
  const moment = Buffer.alloc(8)
  moment.writeBigUInt64BE(process.hrtime.bigint())
  return Buffer.concat([moment, salt]).toString('base64url')
}

export function caughtUp () {
  return { kind: 'CAUGHT_UP', cursor: cursor(), event: null }
}

// The frame that a progress is, and what whoever reported it is answered.
export function progressed ({ id, message, percent }) {
  const sequence = (sequences.get(id) ?? 1) + 1
  sequences.set(id, sequence)
  const place = cursor()
  const event = {
    id: 'evt_' + place,
    type: 'PROGRESS_REPORTED',
    sequence,
    at: new Date().toISOString(),
    message,
    progress: { percent, stage: null, message }
  }
  return {
    frame: { kind: 'EVENT', cursor: place, event },
    payload: { cursor: place, errors: [] }
  }
}

// Says where it answers; ends when it is told to; collects what it no longer needs when it is asked to, so that what it holds can be told.
export function announced (port) {
  process.on('SIGTERM', () => process.exit(0))
  process.on('SIGUSR2', () => {
    globalThis.gc?.()
    process.stdout.write('collected\n')
  })
  process.stdout.write(`http://127.0.0.1:${port}/graphql\n`)
}
