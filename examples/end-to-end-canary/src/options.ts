import { parseArgs } from 'node:util'
import { MUTATIONS } from './mutations.js'

/** What the command line asks for. */
export interface DemoOptions {
  /** Leave everything running after the story, with the URL to try. */
  readonly keep: boolean
  /** Requests per second of the constant load. */
  readonly rate: number
  /** A deliberate fault that the judgement has to find. */
  readonly mutation: string | undefined
  /** A Nacos server to use, `host:port`; `undefined` starts an in-memory one. */
  readonly nacos: string | undefined
  /** Use a file instead of Nacos. */
  readonly file: boolean
  /** Use a real API server of Kubernetes instead of Nacos. */
  readonly kubernetes: boolean
  /** Start services without Laneway in their code, by `--import @laneway/register`. */
  readonly register: boolean
  /** Port of the entrance; 0 finds a free one. */
  readonly port: number
}

const HELP = `npm run demo -- [options]

Plays a gray release of two of three services on this machine, under constant load: base only, gray arrives, promote,
a second release, rollback. Ends with a table; exit code 1 when a request failed or went to a wrong lane.

  --keep             leave the services running at the end, with the URL to try; Ctrl-C ends them
  --port <n>         port of the entrance (default: a free one)
  --nacos <address>  let the services meet at this Nacos server (default: an in-memory one)
  --file             let them meet in a file instead
  --kubernetes       let them meet through a real Kubernetes API server (needs root, and Go the first time)
  --register         services without Laneway in their code, started with --import @laneway/register
  --rate <n>         requests per second (default 250, at least 200)
  --break=<fault>    build in a fault, to see it found (exit code 1): ${Object.keys(MUTATIONS).join(', ')}
  --help             this text
`

export function parseOptions(argv: readonly string[]): DemoOptions | 'help' {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      keep: { type: 'boolean', default: false },
      port: { type: 'string', default: '0' },
      nacos: { type: 'string' },
      file: { type: 'boolean', default: false },
      kubernetes: { type: 'boolean', default: false },
      register: { type: 'boolean', default: false },
      rate: { type: 'string', default: '250' },
      break: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(HELP)
    return 'help'
  }
  if (values.break !== undefined && !Object.hasOwn(MUTATIONS, values.break)) {
    throw new Error(`--break=${values.break}: the faults are ${Object.keys(MUTATIONS).join(', ')}`)
  }
  if (values.register && values.break !== undefined)
    throw new Error('--break changes code that --register does not have')
  return {
    keep: values.keep,
    nacos: values.nacos,
    file: values.file,
    kubernetes: values.kubernetes,
    register: values.register,
    rate: integer('--rate', values.rate, 200, 2000),
    port: integer('--port', values.port, 0, 65_535),
    mutation: values.break,
  }
}

function integer(name: string, text: string, from: number, to: number): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= from && value <= to) return value
  throw new Error(`${name} is a whole number from ${from} to ${to}, received "${text}"`)
}
