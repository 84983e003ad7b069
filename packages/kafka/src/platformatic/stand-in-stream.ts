import type { StandIn } from '../isolation/stand-ins.js'
import type { MessageStream, PlatformaticConsumer, StreamMessage } from './classes.js'

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
  readonly #waiting = new Set<() => void>()

  /**
   * @param push - of the stream, without a gate
   * @param ownCommits - whether the program commits each message
   */
  constructor(main: MessageStream, push: MessageStream['push'], ownCommits: boolean) {
    this.#main = main
    this.#push = push
    this.#ownCommits = ownCommits
    const { _read } = main
    main._read = size => {
      const waiting = [...this.#waiting]
      this.#waiting.clear()
      for (const go of waiting) go()
      return _read.call(main, size)
    }
  }

  /**
   * @param stream - that commits nothing by itself
   * @param isHolder - whether the stand-in still has the partition of a message, which may have waited in its stream
   */
  add(consumer: PlatformaticConsumer, stream: MessageStream, isHolder: (message: StreamMessage) => boolean): StandIn {
    let isOver = false
    let underWay: StreamMessage | undefined
    stream.once('error', () => {})
    stream.once('close', () => {
      isOver = true
    })
    const next = () => {
      underWay = undefined
      stream.resume()
    }
    stream.on('data', message => {
      if (!isHolder(message)) return
      stream.pause()
      underWay = message
      const { commit } = message
      if (this.#ownCommits) {
        message.commit = (...args) => {
          const committing = commit.apply(message, args)
          if (underWay === message) next()
          return committing
        }
      } else {
        message.commit = () => {}
        // The next is handed over when the program reads on.
        this.#waiting.add(() => {
          commit.call(message, () => {})
          next()
        })
      }
      this.#push.call(this.#main, message)
    })
    return {
      isOver: () => isOver,
      async close() {
        const until = performance.now() + COMMIT_WITHIN_MS
        while (underWay !== undefined && !isOver && performance.now() < until) {
          await new Promise(resolve => setTimeout(resolve, 20))
        }
        await consumer.close(true)
      },
    }
  }
}
