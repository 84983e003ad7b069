import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A server in a process of its own, so that its work is not in the figures of the client. */
export class ServerProcess {
  readonly #child: ChildProcess
  /** What it said when it was ready. */
  readonly ready: Readonly<Record<string, unknown>>

  private constructor(child: ChildProcess, ready: Readonly<Record<string, unknown>>) {
    this.#child = child
    this.ready = ready
  }

  /** @param name - of a file in `servers` */
  static async start(name: string, ...args: readonly string[]): Promise<ServerProcess> {
    const script = fileURLToPath(new URL(`servers/${name}.js`, import.meta.url))
    const child = fork(script, args, { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    const [ready] = await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(([code]) => {
        throw new Error(`${name} ended with ${code}`)
      }),
    ])
    return new ServerProcess(child, ready)
  }

  /** Has it do something. @returns its answer */
  async ask(what: unknown): Promise<Record<string, unknown>> {
    this.#child.send(what as object)
    const [answer] = await once(this.#child, 'message')
    return answer
  }

  async stop(): Promise<void> {
    const gone = once(this.#child, 'exit')
    this.#child.disconnect()
    await gone
  }
}
