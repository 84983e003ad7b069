import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { SLOW_MS } from './client-limits.js'
import type { Script } from './http1-script.js'
import type { Item } from './request-items.js'
import { type Answer, ResponseReader } from './response-reader.js'

/** Longer than any answer takes, also on a machine that does other things. */
const PATIENCE_MS = 30_000
/** For what a half-closed connection may still say. */
const HALF_CLOSED_MS = 500

/**
 * Plays a script on a connected socket and holds what comes back against what may come back.
 *
 * @param reset - ends the connection by a reset of TCP
 * @returns what is wrong, `undefined` for nothing
 */
export async function playHttp1(socket: Socket, reset: () => void, script: Script): Promise<string | undefined> {
  const talk = new Talk(socket, reset, script)
  await talk.run()
  return talk.wrong
}

class Talk {
  wrong: string | undefined
  readonly #socket: Socket
  readonly #reset: () => void
  readonly #script: Script
  readonly #startedAt = performance.now()
  readonly #reader = new ResponseReader()
  /** Items that have their answers. */
  #answered = 0
  /** Of the connection. */
  #error = ''
  /** The server has ended the connection, or said that it will. */
  #over = false
  #closed = false
  /** This side has ended the connection. */
  #left = false
  /** What is sent from now on comes back: the place of its beginning among all bytes of the script. */
  #tunnelAt: number | undefined
  #wake = (): void => {}

  constructor(socket: Socket, reset: () => void, script: Script) {
    this.#socket = socket
    this.#reset = reset
    this.#script = script
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('error', error => {
      this.#error = (error as NodeJS.ErrnoException).code ?? error.message
    })
    // After the end of the server's side nothing comes; what is still to be written is of no use.
    socket.on('end', () => this.#ended())
    socket.on('close', () => this.#ended())
  }

  async run(): Promise<void> {
    const { steps, leave, items } = this.#script
    for (const step of steps) {
      if (this.#closed || this.wrong !== undefined) break
      if (step.kind === 'write') this.#socket.write(step.bytes)
      else if (step.kind === 'pause') await sleep(step.ms)
      else if (step.kind === 'wait') {
        await this.#until(() => this.#answered >= step.items || this.#over || this.#tunnelAt !== undefined, 'answers')
      } else {
        for (const byte of step.bytes) {
          if (this.#closed) break
          this.#socket.write(Buffer.from([byte]))
          // On a busy machine, all of them together would take longer than the gateway waits for a head.
          if (performance.now() - this.#startedAt < SLOW_MS / 3) await sleep(1)
        }
      }
    }
    if (leave === 'after' && !this.#closed) {
      await this.#until(() => this.#answered >= items.length || this.#over || this.#tunnelAt !== undefined, 'answers')
      if (this.#tunnelAt !== undefined)
        await this.#until(() => this.#tunnelIsWhole() || this.#closed, 'tunnelled bytes')
      // It has said that it ends the connection.
      if (this.#over && this.#tunnelAt === undefined) await this.#until(() => this.#closed, 'the end of the connection')
    } else if (leave === 'half-close') {
      this.#socket.end()
      for (let waited = 0; waited < HALF_CLOSED_MS && !this.#closed; waited += 10) await sleep(10)
    }
    // What comes from now on is not looked at: the client has gone.
    this.#left = true
    this.#socket.removeAllListeners('data')
    if (leave === 'reset') this.#reset()
    else if (leave === 'end') this.#socket.destroySoon()
    else this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    if (this.wrong !== undefined) return
    try {
      this.#reader.take(chunk)
      this.#readAnswers()
    } catch (error) {
      this.wrong = (error as Error).message
    }
    this.#wake()
  }

  #readAnswers(): void {
    const { items } = this.#script
    for (;;) {
      if (this.#tunnelAt !== undefined) {
        this.#checkTunnel()
        return
      }
      const item = items[this.#answered]
      if (item === undefined) {
        if (this.#reader.begun) throw new Error('an answer to nothing')
        return
      }
      const answer = this.#reader.next(item.method)
      if (answer === undefined) return
      if (answer.status === 100) {
        if (item.expects !== true) throw new Error(`a 100 for item ${this.#answered}, which does not expect it`)
      } else this.#check(item, answer)
    }
  }

  #check(item: Item, answer: Answer): void {
    if (this.#over) throw new Error(`an answer after the last one: ${answer.status} for item ${this.#answered}`)
    const behind = this.#answered > 0 && !this.#script.inTurn
    const wrong = this.#isLate(answer) ? undefined : item.wrong(answer, behind)
    if (wrong !== undefined) throw new Error(`item ${this.#answered} (${item.what}): ${wrong}`)
    if (answer.status === 101) {
      const sent = this.#script.items.slice(0, this.#answered + 1)
      this.#tunnelAt = sent.reduce((sum, { bytes }) => sum + bytes.length, 0)
    }
    this.#answered++
    if (answer.last) this.#over = true
  }

  /** On a busy machine, this client may be slower than the gateway waits. */
  get #isSlow(): boolean {
    return performance.now() - this.#startedAt > SLOW_MS
  }

  #isLate({ status, last }: Answer): boolean {
    return status === 408 && last && this.#isSlow
  }

  #checkTunnel(): void {
    const wanted = this.#tunnelled()
    const got = this.#reader.tunnelled
    if (got.length > wanted.length || !wanted.subarray(0, got.length).equals(got)) {
      throw new Error(`the tunnel says ${JSON.stringify(got.subarray(0, 80).toString('latin1'))}, ${got.length} bytes`)
    }
  }

  #tunnelled(): Buffer {
    return Buffer.concat(this.#script.items.map(({ bytes }) => bytes)).subarray(this.#tunnelAt ?? 0)
  }

  #tunnelIsWhole(): boolean {
    return this.#reader.tunnelled.length === this.#tunnelled().length
  }

  #ended(): void {
    if (this.#closed) return
    this.#closed = true
    if (this.wrong === undefined) this.wrong = this.#endIsWrong()
    this.#wake()
  }

  #endIsWrong(): string | undefined {
    const { items, leave } = this.#script
    if (this.#tunnelAt !== undefined) {
      return leave !== 'after' || this.#tunnelIsWhole() ? undefined : 'the tunnel ended before everything came back'
    }
    const item = items[this.#answered]
    if (item === undefined || this.#over || this.#left) return undefined
    const last = this.#reader.end()
    if (last !== undefined) {
      const wrong = item.mayEnd ? undefined : item.wrong(last, this.#answered > 0)
      return wrong === undefined ? undefined : `item ${this.#answered} (${item.what}): ${wrong}`
    }
    const rest = items.slice(this.#answered)
    // Something that may end the connection was sent: here, or behind, where it may have been read already. And what is
    // sent behind the last request of a connection meets a reset, which may overtake the answer.
    const mayEnd =
      rest.some(one => one.mayEnd || one.method === 'CONNECT' || /^WebSocket/.test(one.what)) ||
      rest.slice(0, -1).some(one => one.isLast)
    if (mayEnd || leave !== 'after' || this.#isSlow) return undefined
    return `the connection ended without an answer to item ${this.#answered} (${item.what})${
      this.#reader.begun ? ', or inside it' : ''
    }${this.#error === '' ? '' : `: ${this.#error}`}`
  }

  async #until(holds: () => boolean, what: string): Promise<void> {
    const end = performance.now() + PATIENCE_MS
    while (!holds() && !this.#closed && this.wrong === undefined) {
      if (performance.now() > end) {
        this.wrong = `no ${what} within ${PATIENCE_MS / 1000} s: item ${this.#answered} (${
          this.#script.items[this.#answered]?.what ?? 'none'
        })`
        return
      }
      let timer: NodeJS.Timeout | undefined
      await new Promise<void>(resolve => {
        this.#wake = resolve
        timer = setTimeout(resolve, 1000)
      })
      clearTimeout(timer)
    }
  }
}
