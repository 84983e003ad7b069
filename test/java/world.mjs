// The services of a run: processes that register themselves in one real Nacos.
import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createNacosClient } from '@laneway/nacos'
import { agentJar, startGrpcService, startSpringService } from '../servers/java/start.mjs'
import { startNacos } from '../servers/nacos/start.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const READY_MS = 60_000
/** A Java process on a busy machine needs seconds for its first connection. An instance that is slow is no subject here. */
const PATIENCE_MS = 20_000
const living = new Set()
process.once('exit', () => {
  for (const child of living) child.kill('SIGKILL')
})

/** Starts Nacos; the services come by `add`. */
export async function createWorld(kind) {
  const nacos = await startNacos(kind)
  const client = createNacosClient({ servers: nacos.http })
  const instances = []

  /**
   * Starts instances and waits until Nacos lists them.
   * @param {{ service: string, tag?: string, name?: string, kind: string, entry?: string, env?: object, flags?: string[] }[]} more
   *   `kind` is `node` (no code), `node-code` (with the packages), `spring`, `spring-otel` or `grpc-java`; `entry` is the program
   *   of a Node service
   */
  async function add(more) {
    const agent = more.some(one => one.kind === 'spring-otel') ? await agentJar() : undefined
    const starting = more.map(async one => {
      const { service, tag = '', name = tag === '' ? 'base' : tag } = one
      const common = { nacos: nacos.http, service, tag, self: `${service}:${name}` }
      const process = await start(one, common, agent)
      const instance = { service, tag, name, kind: one.kind, ...process }
      instances.push(instance)
      return instance
    })
    const settled = await Promise.allSettled(starting)
    const failed = settled.find(({ status }) => status === 'rejected')
    if (failed !== undefined) throw failed.reason
    const started = settled.map(({ value }) => value)
    const names = [...new Set(started.map(({ service }) => service))]
    await until('Nacos lists all instances', async () => {
      const lists = await Promise.all(names.map(service => client.naming.query({ service })))
      const listed = new Set(lists.flatMap(info => info.instances).map(({ port }) => port))
      return started.every(({ port }) => listed.has(port))
    })
    return started
  }

  async function close() {
    await Promise.all(instances.map(instance => instance.stop()))
    await client.close()
    await nacos.stop()
  }
  return { version: nacos.version, instances, add, close }
}

function start({ kind, entry, env, flags }, common, agent) {
  if (kind === 'spring') return startSpringService(common)
  if (kind === 'spring-otel') return startSpringService({ ...common, agent })
  if (kind === 'grpc-java') return startGrpcService(common)
  const { self, nacos, service, tag } = common
  if (kind === 'node-code') {
    return startNode(entry, [], {
      SELF: self,
      NACOS: nacos,
      SERVICE: service,
      LANEWAY_TAG: tag,
      PATIENCE_MS: String(PATIENCE_MS),
    })
  }
  return startNode(entry, flags ?? ['--import', '@laneway/register'], {
    SELF: self,
    LANEWAY_NACOS: nacos,
    LANEWAY_SERVICE: service,
    LANEWAY_TAG: tag,
    LANEWAY_LOOKUP_TIMEOUT_MS: String(PATIENCE_MS),
    LANEWAY_CONNECT_TIMEOUT_MS: String(PATIENCE_MS),
    ...env,
  })
}

async function startNode(entry, flags, env) {
  const child = spawn(process.execPath, [...flags, fileURLToPath(new URL(entry, import.meta.url))], {
    cwd: root,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise(resolve => child.once('exit', resolve))
  living.add(child)
  let said = ''
  const port = await new Promise((resolve, reject) => {
    for (const pipe of [child.stdout, child.stderr]) {
      pipe.on('data', chunk => {
        said = (said + chunk).slice(-20_000)
        const found = /^port (\d+)$/m.exec(said)
        if (found !== null) resolve(Number(found[1]))
      })
    }
    void ended.then(code => reject(new Error(`${env.SELF} ended with ${code}: ${said.slice(-500)}`)))
  })
  const stop = async () => {
    living.delete(child)
    child.kill('SIGKILL')
    await ended
  }
  return { pid: child.pid, port, ended, stop, signal: name => child.kill(name), output: () => said }
}

async function until(what, check) {
  const end = performance.now() + READY_MS
  while (!(await check())) {
    if (performance.now() > end) throw new Error(`not within ${READY_MS} ms: ${what}`)
    await sleep(100)
  }
}
