// Independent Nacos clients for interop tests, each in a process of its own behind JSON lines: the official Java client and the
// native client of npm, which blocks its event loop while it connects.
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { classPath } from './maven.mjs'

const JAVA_CLIENT = process.env.NACOS_CLIENT_VERSION ?? '3.2.1-2026.03.30'

/** @param {{ http: string, username?: string, password?: string }} server */
export async function startJavaClient(server) {
  const jars = await classPath({
    name: `nacos-client-${JAVA_CLIENT}`,
    launcher: 'JavaClient.java',
    dependencies: [
      { group: 'com.alibaba.nacos', artifact: 'nacos-client', version: JAVA_CLIENT },
      { group: 'org.slf4j', artifact: 'slf4j-nop', version: '2.0.17' },
    ],
  })
  const home = await mkdtemp(join(tmpdir(), 'laneway-java-client-'))
  const flags = [
    '-Xmx128m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    `-Duser.home=${home}`,
    `-DJM.LOG.PATH=${home}`,
    `-DJM.SNAPSHOT.PATH=${home}`,
  ]
  const user = server.username === undefined ? [] : [server.username, server.password]
  return peer(
    spawn('java', [...flags, '-cp', jars, 'laneway.test.JavaClient', server.http, ...user], {
      stdio: ['pipe', 'pipe', 'ignore'],
    }),
    home,
  )
}

/** @param {{ http: string, username?: string, password?: string }} server */
export async function startRustClient(server) {
  const home = await mkdtemp(join(tmpdir(), 'laneway-rust-client-'))
  const env = { ...process.env, HOME: home, PEER_SERVER: JSON.stringify(server), NODE_OPTIONS: '' }
  return peer(
    spawn(process.execPath, [new URL(import.meta.url).pathname], { stdio: ['pipe', 'pipe', 'ignore'], env }),
    home,
  )
}

async function peer(child, home) {
  const pending = new Map()
  const events = []
  let lastId = 0
  let look = () => {}
  const ended = new Promise(resolve => child.once('exit', resolve))
  createInterface({ input: child.stdout }).on('line', line => {
    if (!line.startsWith('{')) return
    const message = JSON.parse(line)
    if (message.id !== undefined) {
      pending.get(message.id)?.(message)
      pending.delete(message.id)
    } else {
      events.push(message)
      look()
    }
  })
  child.stdin.on('error', () => {})
  /** Waits for an event, those that came before included. */
  const event = (matches, timeoutMs = 30_000) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`no such event within ${timeoutMs} ms; heard ${JSON.stringify(events.slice(-2))}`)),
        timeoutMs,
      )
      const before = look
      look = () => {
        before()
        const found = events.find(matches)
        if (found === undefined) return
        clearTimeout(timer)
        resolve(found)
      }
      void ended.then(() => {
        clearTimeout(timer)
        reject(new Error('the peer process ended'))
      })
      look()
    })
  await event(message => message.event === 'ready', 60_000)
  const call = (op, name, fields = {}) =>
    new Promise((resolve, reject) => {
      const id = ++lastId
      pending.set(id, ({ result, error }) =>
        error === undefined ? resolve(result) : reject(new Error(`${op}: ${error}`)),
      )
      child.stdin.write(`${JSON.stringify({ id, op, name, ...fields })}\n`)
    })
  const stop = async () => {
    child.kill('SIGKILL')
    await ended
    await rm(home, { recursive: true, force: true })
  }
  return { pid: child.pid, call, event, stop, signal: name => child.kill(name) }
}

function serveRust() {
  const { NacosNamingClient, NacosConfigClient } = createRequire(import.meta.url)('nacos-sdk-rust-binding-node')
  const { http, username, password } = JSON.parse(process.env.PEER_SERVER)
  const options = {
    serverAddr: http,
    namespace: '',
    appName: 'peer',
    namingPushEmptyProtection: false,
    ...(username && { username, password }),
  }
  const naming = new NacosNamingClient(options)
  const config = new NacosConfigClient(options)
  const group = 'DEFAULT_GROUP'
  const print = message => process.stdout.write(`${JSON.stringify({ ...message, at: Date.now() })}\n`)
  const instance = ({ ip, port, metadata = {} }) => ({ ip, port, metadata })
  const ops = {
    register: command => naming.registerInstance(command.name, group, instance(command)),
    deregister: command => naming.deregisterInstance(command.name, group, instance(command)),
    subscribe: ({ name }) =>
      naming.subscribe(name, group, [], (_error, instances) => print({ event: 'instances', name, instances })),
    list: ({ name }) => naming.getAllInstances(name, group, [], false),
    publish: ({ name, content }) => config.publishConfig(name, group, content),
    listen: ({ name }) =>
      config.addListener(name, group, (_error, { content }) => print({ event: 'config', name, content })),
  }
  createInterface({ input: process.stdin })
    .on('line', line => {
      const command = JSON.parse(line)
      Promise.resolve()
        .then(() => ops[command.op](command))
        .then(
          result => print({ id: command.id, result: result ?? true }),
          error => print({ id: command.id, error: error.message }),
        )
    })
    .on('close', () => process.exit(0))
  print({ event: 'ready' })
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) serveRust()
