import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { isLanewayError } from './laneway-error.js'
import { type CommandWorld, EXIT } from './terminal/world.js'

const EXAMPLES = `
Examples:
  laneway doctor                                     what is wrong here, and how to mend it
  laneway lanes --nacos nacos:8848 --watch           who is in which lane
  laneway lanes --kafka kafka:9092                   who consumes for which lane
  laneway explain sc-b --lane gray                   where a request goes, and why
  laneway trace http://localhost:8080/a -H 'x-mse-tag: gray'   which way a request went
  laneway check gateway.yaml --request 'GET /orders' which rule and route match
  laneway endpoints --kubernetes --serve             one watch of the API server for many processes
  laneway console --nacos nacos:8848                 a page with all of this, live
  laneway run -- node app.js                         start an app with lanes
  laneway run --lane alice -- node app.js            the requests of a lane come to this machine

Without --nacos, --kubernetes or --file, the registry is that of the settings: environment (LANEWAY_...) and laneway.config.*.

Exit codes: 0 all is well, 1 something is wrong, 2 wrong use or settings, 3 a registry cannot be reached; run ends as its program.
`

/** Runs the command line and resolves with its exit code. Each command is loaded when it is asked for. */
export async function runCommand(args: readonly string[], world: CommandWorld): Promise<number> {
  let code: number = EXIT.ok
  const set = async (result: Promise<number>) => {
    code = await result
  }
  const program = createProgram(world, set)
  try {
    await program.parseAsync(args, { from: 'user' })
    return code
  } catch (error) {
    // commander has printed what it has to say.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    if (!isLanewayError(error)) throw error
    world.writeError(`${error.message}\n`)
    return EXIT.usage
  }
}

function createProgram(world: CommandWorld, set: (result: Promise<number>) => Promise<void>): Command {
  const program = new Command('laneway')
    .description(
      'Traffic lanes at the terminal: what is wrong, who is in which lane, and why a request goes where it goes.',
    )
    .addHelpText('after', EXAMPLES)
    .exitOverride()
    .showHelpAfterError('(add --help for what there is)')
    .configureOutput({
      writeOut: world.write,
      writeErr: world.writeError,
      getOutHelpWidth: () => 100,
      getErrHelpWidth: () => 100,
    })
    // What follows the program of `run` is not ours.
    .enablePositionalOptions()
  const command = (name: string, text: string) => program.command(name).description(text).copyInheritedSettings(program)

  withSource(
    command(
      'doctor',
      'Checks this folder and environment as register would see them. Each finding comes with its fix.',
    ),
  )
    .option('--json', 'print the report as JSON')
    .action(async options => set((await import('./doctor/command.js')).doctor(options, world)))

  withSource(
    command(
      'lanes',
      'Prints the services of the registry by lanes: instances, healthy ones, weight, version, age of the list. ' +
        'With --kafka the lanes of consumer groups: members, lag, conflicts; "lanes end <group> <lane>" ends one.',
    ),
  )
    .argument('[service...]', 'only these')
    .option(
      '--kafka <brokers>',
      'brokers host:port, or a file with the configuration of kafkajs; -g is a group of consumers then',
    )
    .option('-w, --watch', 'print again after each change, until it is interrupted')
    .option('--json', 'print JSON; with --watch one line a change')
    .action(async (services, options) => set((await import('./commands/lanes.js')).lanes(services, options, world)))

  withSource(command('explain', 'Tells where a request to a service would go, and why. Sends nothing.'))
    .argument('<service>', 'name, as in the URL')
    .option('-l, --lane <lane>', 'lane of the request (default: none)')
    .option('--json', 'print the decision as JSON')
    .action(async (service, options) => set((await import('./commands/explain.js')).explain(service, options, world)))

  withSource(
    command(
      'endpoints',
      'Prints the endpoints of a registry as a services file. With --serve, one process follows the registry for many.',
    ),
  )
    .option('--serve', 'serve them over HTTP, for LANEWAY_ENDPOINTS_URL, until it is interrupted')
    .option('--listen <address>', 'where to serve', '127.0.0.1:7070')
    .option('--max-clients <count>', 'processes served at a time', whole, 2000)
    .action(async options => set((await import('./endpoints/endpoints.js')).endpoints(options, world)))

  withSource(
    command('console', 'Serves a page that shows services by lanes, traffic, releases and messages. It only reads.'),
  )
    .option('--host <address>', 'where to serve; any address but loopback asks for a token', '127.0.0.1')
    .option('-p, --port <port>', 'port; 0 finds a free one', portNumber, 0)
    .option('--host-name <name>', 'a name under which the page is opened; may be repeated', collect, [])
    .option('--prometheus <url>', 'reads the calls between services from its metrics')
    .option('--processes', 'reads them from /lanes of each registered instance')
    .option(
      '--lanes-port <ports>',
      'reads them from there on these ports, those of LANEWAY_LANES: 9464, 9464-9471',
      ports,
    )
    .option('--lanes-of <url>', 'reads them from this lanesHandler; may be repeated', collect, [])
    .option('--rollouts', 'shows Rollouts and TrafficRoutings of the namespace')
    .option('--gate-hops <hops>', 'shows the verdict of the gate, e.g. a=rollout-a,b,c=rollout-c; needs --prometheus')
    .option('--gate-lane <lane>', 'lane that the gate judges (default: gray)')
    .option('--rabbitmq <url>', 'shows the queues of this management API')
    .option('--kafka <brokers>', 'shows its groups: brokers host:port, or a file with the configuration of kafkajs')
    .option('--redis <url>', 'shows its queues of BullMQ and groups on streams')
    .option('--rules <file>', 'explains requests by these rules or this gateway.yaml')
    .option('--entrance <url>', 'an entrance that traced requests may be sent to; may be repeated', collect, [])
    .action(async options => set((await import('./commands/console.js')).serveConsole(options, world)))

  command('check', 'Checks a file of colouring rules or a gateway configuration: all problems, each with its place.')
    .argument('<file>', 'rules (YAML, JSON, Kubernetes manifests) or gateway.yaml')
    .option(
      '-r, --request <request>',
      "say what becomes of a request, e.g. 'GET /orders?id=1' or 'GET http://shop.example.com/'",
    )
    .option('-H, --header <header>', "header of that request, 'name: value'; may be repeated", collect, [])
    .option('--address <address>', 'IP address of its client', '127.0.0.1')
    .option('--json', 'print the result as JSON')
    .action(async (file, options) => set((await import('./commands/check.js')).check(file, options, world)))

  command(
    'trace',
    'Sends a request that asks for its path, and prints it: services, lanes, endpoints, retries, what left the lane.',
  )
    .argument('<url>', 'where a client sends it')
    .option('-H, --header <header>', "header, 'name: value'; may be repeated", collect, [])
    .option('-X, --method <method>', 'method', 'GET')
    .option('-d, --data <body>', 'body')
    .option('-n, --count <count>', 'send so many, and print the paths with their counts', whole, 1)
    .option('--timeout <ms>', 'for each request', milliseconds, 10_000)
    .option('--json', 'print JSON; with -n one line a path')
    .action(async (url, options) => set((await import('./commands/trace.js')).trace(url, options, world)))

  command(
    'run',
    'Starts a program with @laneway/register, from any folder. Ends as the program ends, by its exit code or signal.',
  )
    .usage('[options] -- <program> [args...]')
    .argument('<program...>', 'e.g. node app.js')
    .option('-l, --lane <lane>', 'join this lane of the registry: its requests come to this program')
    .option('--service <name>', 'with --lane: the service that the program stands in for (default: LANEWAY_SERVICE)')
    .option('--host <address>', 'with --lane: the address at which callers reach this machine (default: as LANEWAY_IP)')
    .option('--port <port>', 'with --lane: the port that callers connect to (default: the one it listens on)', whole)
    .option('--nacos <servers>', 'with --lane: Nacos servers, host:8848, separated by commas')
    .option('-n, --namespace <namespace>', 'with --lane: namespace in Nacos (its id)')
    .option('-g, --group <group>', 'with --lane: group in Nacos')
    .passThroughOptions()
    .action(async (words, options) => set((await import('./commands/run.js')).run(words, options, world)))
  return program
}

function withSource(command: Command): Command {
  return command
    .option('--nacos <servers>', 'Nacos servers, host:8848, separated by commas')
    .option('--kubernetes', 'the API server of the kubeconfig or pod')
    .option('--file <file>', 'a file of endpoints')
    .option('-n, --namespace <namespace>', 'namespace in Nacos (its id) or Kubernetes')
    .option('-g, --group <group>', 'group in Nacos')
    .option('--timeout <ms>', 'how long to wait for the registry', milliseconds, 3000)
}

function milliseconds(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value >= 2 ** 31)
    throw new InvalidArgumentError('It is a number of ms, from 1.')
  return value
}

function portNumber(text: string): number {
  return text === '0' ? 0 : whole(text)
}

function whole(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > 65_535)
    throw new InvalidArgumentError('It is a whole number from 1 to 65535.')
  return value
}

/** As many as `LANEWAY_LANES` takes. */
const MAX_PORTS = 64

function ports(text: string): number[] {
  const [from, to = from, more] = text.split('-').map(whole)
  if (more !== undefined || to! < from! || to! - from! >= MAX_PORTS)
    throw new InvalidArgumentError(`It is a port, or a range of at most ${MAX_PORTS} ports: 9464, 9464-9471.`)
  return Array.from({ length: to! - from! + 1 }, (_, index) => from! + index)
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value]
}
