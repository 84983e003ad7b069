import { parseArgs } from 'node:util'
import type { DialectName } from './dialect.js'
import { DevServerError } from './error.js'
import type { NacosDevServerOptions, TracedMessage } from './options.js'
import { createNacosDevServer } from './server.js'

const HELP = `Usage: nacos-dev-server [options]

An in-memory server that speaks the Nacos gRPC protocol, for laptops and tests. It is no Nacos:
nothing is stored, nothing is clustered, there is no console. gRPC listens on the port 1000 above.

  --port <number>        HTTP port, 0 for a free pair of ports      (default 8848)
  --host <address>       address to listen on                       (default 127.0.0.1)
  --dialect <release>    release to imitate: 3.1.0, 2.5.0, 2.2.3    (default 3.1.0)
  --push-delay <ms>      from a change to its push                  (default 500, as a real server)
  --user <name:password> require a login; may be given several times
  --verbose              print every message
  --help                 print this
`

/** What the command writes to and how it ends. */
export interface CliHost {
  readonly write: (text: string) => void
  readonly writeError: (text: string) => void
  /** Resolves when the process is asked to end. */
  readonly ended: Promise<unknown>
}

/** Runs the command to its end and returns the exit code: 0, 1 when the ports cannot be had, 2 for wrong usage. */
export async function runCli(args: readonly string[], host: CliHost): Promise<number> {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        port: { type: 'string' },
        host: { type: 'string' },
        dialect: { type: 'string' },
        'push-delay': { type: 'string' },
        user: { type: 'string', multiple: true },
        verbose: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    if (values.help === true) {
      host.write(HELP)
      return 0
    }
    const options: NacosDevServerOptions = {
      ...(values.port !== undefined && { port: numberOf('--port', values.port) }),
      ...(values.host !== undefined && { host: values.host }),
      ...(values.dialect !== undefined && { dialect: values.dialect as DialectName }),
      ...(values['push-delay'] !== undefined && { pushDelayMs: numberOf('--push-delay', values['push-delay']) }),
      ...(values.user !== undefined && { auth: { users: Object.fromEntries(values.user.map(userOf)) } }),
      ...(values.verbose === true && { onMessage: message => host.write(lineOf(message)) }),
    }
    const server = await createNacosDevServer(options).start()
    const release = values.dialect ?? '3.1.0'
    host.write(
      `ready http=${server.address} grpc=${server.grpcAddress} (in memory, like Nacos ${release}, but no Nacos)\n`,
    )
    await host.ended
    await server.close()
    return 0
  } catch (error) {
    host.writeError(`nacos-dev-server: ${error instanceof Error ? error.message : String(error)}\n`)
    if (error instanceof DevServerError && error.code === 'LANEWAY_DEV_SERVER_LISTEN') return 1
    host.writeError('Try --help.\n')
    return 2
  }
}

function numberOf(option: string, text: string): number {
  if (/^\d+$/.test(text)) return Number(text)
  throw new DevServerError('LANEWAY_INVALID_OPTION', `${option} must be a whole number, got "${text}"`)
}

function userOf(text: string): [name: string, password: string] {
  const colon = text.indexOf(':')
  if (colon > 0) return [text.slice(0, colon), text.slice(colon + 1)]
  throw new DevServerError('LANEWAY_INVALID_OPTION', `--user must be name:password, got "${text}"`)
}

function lineOf({ from, via, connectionId, type, body }: TracedMessage): string {
  return `${connectionId} ${from === 'client' ? '->' : '<-'} ${via} ${type} ${body}\n`
}
