// Runs the cases against one kind of server, in this process, and prints a line of JSON for each. Started by run.mjs.
import { createNacosDevServer } from '@laneway/nacos-dev-server'
import { cases, crashCases, interopCases } from './cases.mjs'
import { type Case, Context, Skip, type TestServer } from './harness.mjs'
import { authCases, tlsCases } from './secured-cases.mjs'
import { zeroCodeCases } from './zero-code-cases.mjs'

const kind = process.argv[2]!
const only = process.argv[3]
const figures: Record<string, string> = {}
const print = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`)

// Plain modules outside the type check: they start processes and nothing more.
const { startNacos } = (await import('../servers/nacos/start.mjs' as string)) as any
const { startJavaClient, startRustClient } = (await import('../servers/nacos/peers.mjs' as string)) as any

async function start(options: { auth?: boolean; tokenSeconds?: number; tls?: string } = {}): Promise<TestServer> {
  if (kind === 'given') {
    const http = process.env['NACOS_SERVER_ADDR']!.split(',')[0]!
    const [host, port] = http.split(':')
    const [username, password] = [process.env['NACOS_USERNAME'], process.env['NACOS_PASSWORD']]
    return {
      kind,
      version: 'unknown',
      http,
      grpc: `${host}:${Number(port) + 1000}`,
      port: Number(port),
      ...(username !== undefined && password !== undefined && { username, password }),
      stop: async () => {},
    }
  }
  if (kind !== 'dev') return await startNacos(kind, options)
  const server = createNacosDevServer({
    port: 0,
    pushDelayMs: Number(process.env['NACOS_DEV_DELAY'] ?? 0),
    ...(options.auth && {
      auth: { users: { nacos: 'laneway-test' }, tokenTtlSeconds: options.tokenSeconds ?? 18_000 },
    }),
  })
  await server.start()
  return {
    kind,
    version: '3.1.0 dialect',
    http: server.address,
    grpc: server.grpcAddress,
    port: server.port,
    ...(options.auth && { username: 'nacos', password: 'laneway-test' }),
    stop: () => server.close(),
  }
}

/** The group chooses among its own cases. */
function chosen(name: string): boolean {
  return only === undefined || name.includes(only) || name === 'interop'
}

async function runAll(server: TestServer, list: readonly Case[]): Promise<void> {
  const wanted = list.filter(({ name }) => chosen(name))
  const slow = wanted.filter(one => one.slow).map(one => runCase(server, one))
  for (const one of wanted.filter(one => !one.slow)) await runCase(server, one)
  await Promise.all(slow)
}

async function runCase(server: TestServer, { name, run }: Case): Promise<void> {
  const context = new Context(server, figures)
  const begun = performance.now()
  let result: object
  try {
    await run(context)
    result = { passed: name }
  } catch (error) {
    result =
      error instanceof Skip ? { skipped: name, why: error.message } : { failed: name, why: (error as Error).stack }
  }
  await context.finish()
  print({ ...result, ms: Math.round(performance.now() - begun) })
}

/** A server that cannot be had is a line, and its cases are skipped. */
async function withServer(
  what: string,
  list: readonly Case[],
  options: Parameters<typeof start>[0] = {},
): Promise<void> {
  if (!list.some(({ name }) => chosen(name))) return
  let server: TestServer
  const begun = performance.now()
  try {
    // A busy machine is a reason for a second attempt, not for a third.
    server = await start(options).catch(() => start(options))
  } catch (error) {
    print({ absent: what, why: (error as Error).message, cases: list.length })
    return
  }
  print({ server: what, version: server.version, ms: Math.round(performance.now() - begun) })
  try {
    await runAll(server, list)
  } finally {
    await server.stop()
  }
}

/** A peer that cannot be had skips its cases the same way. */
async function peerOr(
  name: string,
  startPeer: (server: unknown) => Promise<any>,
  list: readonly Case[],
  server: TestServer,
): Promise<readonly Case[]> {
  if (!list.some(({ name }) => chosen(name))) return []
  try {
    await (await startPeer(server)).stop()
    return list
  } catch (error) {
    print({ absent: name, why: (error as Error).message, cases: list.length })
    return []
  }
}

const plain: Case[] = [...cases]
await withServer(kind, [
  ...plain,
  {
    name: 'interop',
    run: async context => {
      const java = await peerOr(
        'the official Java client',
        startJavaClient,
        [...interopCases('the Java client', startJavaClient), ...crashCases('the Java client', startJavaClient)],
        context.server,
      )
      const rust = await peerOr(
        'the native client',
        startRustClient,
        [
          ...interopCases('the native client', startRustClient),
          ...crashCases('the native client', startRustClient).slice(0, 1),
        ],
        context.server,
      )
      await runAll(context.server, [...java, ...rust])
    },
  },
])
if (kind !== 'given') {
  await withServer(`${kind} with auth`, [...authCases, ...zeroCodeCases], { auth: true, tokenSeconds: 5 })
  if (kind.startsWith('nacos')) await withServer(`${kind} with mutual TLS`, tlsCases, { tls: 'mutual' })
}
print({ figures })
process.exit(0)
