import type { StandIn } from '../isolation/stand-ins.js'
import type { MessageStream, PlatformaticConsumer, StreamMessage } from './classes.js'
import type { Membership } from './membership.js'
import { tickets } from './tickets.js'

/** How long a stand-in that leaves waits for the commit of what it has delivered. */
const COMMIT_WITHIN_MS = 5000

/**
 * The program's stream, which also gets what stand-ins read: one message at a time, so that a stand-in that leaves has little
 * under way.
 */
export class StandInStreams {
  readonly #main: MessageStream
  readonly #push: MessageStream['push']
  readonly #ownCommits: boolean

  /**
   * @param push - of the stream, without a gate
   * @param ownCommits - whether the program commits each message
   */
  constructor(main: MessageStream, push: MessageStream['push'], ownCommits: boolean) {
    this.#main = main
    this.#push = push
    this.#ownCommits = ownCommits
  }

  /** @param stream - that commits nothing by itself */
  add(consumer: PlatformaticConsumer, stream: MessageStream, membership: Membership): StandIn {
    let isOver = false
    /** Delivered, and not committed. */
    let underWay: StreamMessage | undefined
    consumer.on('error', () => {})
    stream.once('error', () => {})
    stream.once('close', () => {
      isOver = true
    })
    const next = () => {
      underWay = undefined
      stream.resume()
    }
    stream.on('data', message => {
      const ticket = tickets.get(message)!
      if (!ticket.isGood()) return
      stream.pause()
      const { delivered } = ticket
      const { commit } = message
      ticket.dropped = next
      ticket.delivered = () => {
        delivered()
        if (this.#ownCommits) underWay = message
        else {
          commit.call(message, () => {})
          setImmediate(next)
        }
      }
      message.commit = (...args) => {
        if (!this.#ownCommits) return undefined
        const committing = commit.apply(message, args)
        if (underWay === message) next()
        return committing
      }
      this.#push.call(this.#main, message)
    })
    return {
      isOver: () => isOver,
      async close() {
        membership.leave()
        const until = performance.now() + COMMIT_WITHIN_MS
        while (underWay !== undefined && !isOver && performance.now() < until) {
          await new Promise(resolve => setTimeout(resolve, 20))
        }
        await consumer.close(true).finally(() => membership.end(true))
      },
    }
  }
}
