import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatPath, type LanePath } from '@laneway/core'
import { createNacosDevServer } from '@laneway/nacos-dev-server'
import { runCommand } from '../../packages/laneway/src/index.js'
import { objectOf } from './manifests.js'
import { startGateway } from './running-gateway.js'

/** The pages that show this run. */
const PAGES = ['docs/guides/kubernetes.md', 'examples/end-to-end-canary/k8s/README.md']

/** The texts among the variables of a pod. */
function variablesOf(name: string): Record<string, string> {
  const { spec } = objectOf('laneway-gateway', 'Deployment', `spring-cloud-${name}`)
  const { env } = spec.template.spec.containers[0] as { env: { name: string; value?: string }[] }
  return Object.fromEntries(env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])))
}

/** A program of the images, with the variables of its pod, on this machine. */
async function startService(t: any, name: string, nacos: string, lane: string): Promise<number> {
  const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=@laneway/source', `services/${name}.js`], {
    cwd: 'examples/end-to-end-canary',
    env: {
      ...process.env,
      ...variablesOf(name),
      HOST: '127.0.0.1',
      PORT: '0',
      HEALTH_PORT: '',
      NACOS: nacos,
      MYSQL_URL: '',
      POD_IP: '127.0.0.1',
      LANEWAY_TAG: lane,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  return new Promise((resolve, reject) => {
    child.stdout.on('data', chunk => {
      const found = /serving on (\d+)/.exec(String(chunk))
      if (found !== null) resolve(Number(found[1]))
    })
    child.once('exit', () => reject(new Error(`${name} ended`)))
  })
}

/**
 * Step 4 of the walkthrough: A and C have a gray pod, and `laneway trace` asks the gateway of the manifests for the way of a
 * request. What it prints is what the pages show, but for addresses and times.
 *
 * @param rules - what the container beside the gateway has made of the TrafficRouting
 */
export async function assertTraced(t: any, rules: string): Promise<void> {
  const server = await createNacosDevServer({ port: 0, pushDelayMs: 0, configDelayMs: 0 }).start()
  t.teardown(() => server.close())
  const pods: [name: string, lane: string, address: string][] = [
    ['a', '', '10.244.0.18:20001'],
    ['a', 'gray', '10.244.0.24:20001'],
    ['b', '', '10.244.0.19:20002'],
    ['c', '', '10.244.0.21:20003'],
    ['c', 'gray', '10.244.0.23:20003'],
  ]
  const addresses = new Map<string, string>()
  for (const [name, lane, address] of pods) {
    addresses.set(`127.0.0.1:${await startService(t, name, server.address, lane)}`, address)
  }
  const folder = t.testdir()
  writeFileSync(join(folder, 'traffic-routing.yaml'), rules)
  const env = { LANEWAY_TRACE_TOKEN: 'of-this-test', LANEWAY_TRACE_ADDRESSES: '1' }
  const { url, admin } = await startGateway(t, 'laneway-gateway', folder, server.address, env)
  while ((await fetch(`${admin}/readyz`)).status !== 200);
  // Until everybody knows everybody.
  const gray = /^Agray\S+ -> B\[\S+ -> Cgray/
  while (!gray.test(await (await fetch(`${url}/a`, { headers: { 'user-agent': 'xiaoming' } })).text()));

  let output = ''
  const write = (text: string) => {
    output += text
  }
  const code = await runCommand(
    ['trace', `${url}/a`, '-H', 'User-Agent: xiaoming', '-H', 'x-laneway-trace: of-this-test', '--json'],
    {
      write,
      writeError: write,
      env: {},
      folder: process.cwd(),
      isTerminal: false,
      signal: new AbortController().signal,
    },
  )
  t.equal(code, 0, output)
  const times = [21, 14, 4]
  const { path } = JSON.parse(output, (key, value) => {
    if (key === 'address') return addresses.get(value) ?? value
    return value
  }) as { path: LanePath }
  const shown = formatPath(withTimes(path, times)).replaceAll(/walk-laneway-gateway/g, 'laneway-demo')
  for (const page of PAGES)
    t.ok(readFileSync(page, 'utf8').includes(`\n\`\`\`\n${shown}\`\`\`\n`), `${page} shows\n${shown}`)
}

/** Those of the run differ each time. */
function withTimes(path: LanePath, times: number[]): LanePath {
  const calls = path.calls.map(call => ({
    ...call,
    ms: times.shift() ?? 1,
    ...(call.path !== undefined && { path: withTimes(call.path, times) }),
  }))
  return { ...path, calls }
}
