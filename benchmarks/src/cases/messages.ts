import { laneAmqp } from '@laneway/amqp'
import { laneQueue } from '@laneway/bullmq'
import { currentLane, runInLane } from '@laneway/core'
import { expect, type Row, type Subject, type Table } from '../case.js'

const OPS = 512
const BODY = Buffer.from('x'.repeat(200))
const GRAY = { 'x-mse-tag': 'gray' }

/** What amqplib gives to a handler. */
type Delivery = (message: object) => unknown

/** A channel that keeps the last options instead of sending: what is timed is all that Laneway adds. */
class Sink {
  sent: { headers?: Record<string, unknown> } | undefined
  handler: Delivery | undefined
  publish(_exchange: string, _key: string, _content: Buffer, options?: Sink['sent']) {
    this.sent = options
    return true
  }
  sendToQueue() {}
  consume(_queue: string, handler: Delivery) {
    this.handler = handler
  }
}

class QueueSink {
  readonly name = 'mail'
  sent: Record<string, unknown> | undefined
  add(_name: string, _data: object, options?: Record<string, unknown>) {
    this.sent = options
  }
  addBulk() {}
}

const loop = (one: (i: number) => void) => {
  for (let i = 0; i < OPS; i++) one(i)
}

function publishing(lane: string | undefined, lanes: boolean): Subject {
  const channel = lanes ? laneAmqp(new Sink()) : new Sink()
  const headers = { 'content-language': 'en' }
  return {
    ops: OPS,
    run() {
      // In a service one request publishes a few messages: entering its lane is not part of them.
      runInLane(lane, loop, () => channel.publish('orders', 'new', BODY, { headers }))
      return channel.sent?.headers?.['x-mse-tag']
    },
    check: result => expect(result === (lanes ? lane : undefined), `sent in lane ${result}`),
  }
}

function adding(lane: string | undefined, lanes: boolean): Subject {
  const queue = lanes ? laneQueue(new QueueSink()) : new QueueSink()
  return {
    ops: OPS,
    run() {
      runInLane(lane, loop, () => queue.add('welcome', {}, { attempts: 3 }))
      return queue.sent?.['x-mse-tag']
    },
    check: result => expect(result === (lanes ? lane : undefined), `added in lane ${result}`),
  }
}

function consuming(tagged: boolean, lanes: boolean): Subject {
  const channel = lanes ? laneAmqp(new Sink(), { warn: () => {} }) : new Sink()
  let seen: string | undefined
  channel.consume('orders', () => {
    seen = currentLane()?.header
  })
  const messages = Array.from({ length: OPS }, () => ({
    content: BODY,
    fields: {},
    properties: { headers: tagged ? { ...GRAY } : {} },
  }))
  const handler = channel.handler!
  return {
    ops: OPS,
    run() {
      loop(i => handler(messages[i]!))
      return seen
    },
    check: result => expect(result === (lanes && tagged ? 'gray' : undefined), `handled in lane ${result}`),
  }
}

/** The same for each: without Laneway, untagged, tagged. */
function rowsOf(subject: (lane: string | undefined, lanes: boolean) => Subject): Row[] {
  return [
    { name: 'without lanes', floor: true, subject: () => subject('gray', false) },
    { name: 'untagged', subject: () => subject(undefined, true) },
    { name: 'tagged', subject: () => subject('gray', true) },
  ]
}

const targets = [
  { row: 'untagged', figure: 'ns', atMost: 1000 },
  { row: 'tagged', figure: 'ns', atMost: 3000 },
]

export const messages: readonly Table[] = [
  {
    name: 'messages/amqp publish',
    about:
      'One message published on a channel of amqplib, up to where amqplib encodes it. The floor is the call alone.',
    rows: rowsOf(publishing),
    targets,
  },
  {
    name: 'messages/amqp handle',
    about: 'One message given to its handler, which reads its lane. The floor is the handler without a lane.',
    rows: rowsOf((lane, lanes) => consuming(lane !== undefined, lanes)),
    targets,
  },
  {
    name: 'messages/bullmq add',
    about: 'One job added to a queue, up to where BullMQ encodes it. The floor is the call alone.',
    rows: rowsOf(adding),
    targets,
  },
]
