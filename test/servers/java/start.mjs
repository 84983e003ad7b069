// Java services for tests, out of Maven artifacts that stay in a cache outside the repository: Spring Cloud Alibaba, the Java
// agent of OpenTelemetry, and grpc-java. Needs JDK 17 and Maven 3.8.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { classPath } from '../nacos/maven.mjs'

const file = name => fileURLToPath(new URL(name, import.meta.url))
const READY_MS = 180_000
const living = new Set()
process.once('exit', () => {
  for (const child of living) child.kill('SIGKILL')
})

/** Versions that belong together. */
export const VERSIONS = {
  boot: '3.5.16',
  cloud: '2025.0.3',
  alibaba: '2025.0.0.0',
  agent: '2.33.1',
  grpc: '1.85.1',
  client: '3.2.1-2026.03.30',
}

/** Why there is no Java here, or undefined. */
export function javaProblem() {
  for (const [command, flag] of [
    ['java', '-version'],
    ['javac', '-version'],
    ['mvn', '-version'],
  ]) {
    const { error, status } = spawnSync(command, [flag], { stdio: 'ignore' })
    if (error !== undefined || status !== 0) return `${command} does not run; it needs JDK 17 and Maven 3.8`
  }
  return undefined
}

/** Spring Boot, Spring Cloud LoadBalancer and the discovery of Spring Cloud Alibaba. */
export const springClassPath = () =>
  classPath({
    name: `spring-${VERSIONS.boot}`,
    sources: [file('SpringService.java'), file('SpringLanes.java')],
    management: [
      { group: 'org.springframework.boot', artifact: 'spring-boot-dependencies', version: VERSIONS.boot },
      { group: 'org.springframework.cloud', artifact: 'spring-cloud-dependencies', version: VERSIONS.cloud },
    ],
    dependencies: [
      { group: 'org.springframework.boot', artifact: 'spring-boot-starter-web' },
      { group: 'org.springframework.cloud', artifact: 'spring-cloud-starter-loadbalancer' },
      {
        group: 'com.alibaba.cloud',
        artifact: 'spring-cloud-starter-alibaba-nacos-discovery',
        version: VERSIONS.alibaba,
      },
    ],
  })

/** The jar of the OpenTelemetry Java agent. */
export const agentJar = () =>
  classPath({
    name: `otel-agent-${VERSIONS.agent}`,
    dependencies: [
      { group: 'io.opentelemetry.javaagent', artifact: 'opentelemetry-javaagent', version: VERSIONS.agent },
    ],
  })

/** grpc-java and the official client of Nacos. */
export const grpcClassPath = () =>
  classPath({
    name: `grpc-java-${VERSIONS.grpc}`,
    sources: [file('GrpcService.java')],
    dependencies: [
      { group: 'io.grpc', artifact: 'grpc-netty-shaded', version: VERSIONS.grpc },
      { group: 'io.grpc', artifact: 'grpc-stub', version: VERSIONS.grpc },
      { group: 'com.alibaba.nacos', artifact: 'nacos-client', version: VERSIONS.client },
      { group: 'org.slf4j', artifact: 'slf4j-nop', version: '2.0.17' },
    ],
  })

/**
 * Starts a Spring service that registers itself in Nacos.
 * @param {{ nacos: string, service: string, tag: string, self: string, agent?: string }} options - with `agent`, the jar of
 *   the OpenTelemetry agent, the service knows no lanes, and OpenTelemetry passes W3C baggage on; without it the service has lanes
 */
export async function startSpringService({ nacos, service, tag, self, agent }) {
  const settings = {
    self,
    'spring.application.name': service,
    'spring.main.banner-mode': 'off',
    'spring.profiles.active': agent === undefined ? 'lanes' : 'default',
    'spring.cloud.nacos.discovery.server-addr': nacos,
    'spring.cloud.nacos.discovery.ip': '127.0.0.1',
    ...(tag !== '' && { 'spring.cloud.nacos.discovery.metadata.alicloud.service.tag': tag }),
    'server.address': '127.0.0.1',
    'server.port': '0',
    'logging.level.root': 'WARN',
  }
  const telemetry = {
    OTEL_PROPAGATORS: 'tracecontext,baggage',
    OTEL_TRACES_EXPORTER: 'none',
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
  }
  return startJava({
    flags: agent === undefined ? [] : [`-javaagent:${agent}`],
    jars: await springClassPath(),
    main: 'laneway.test.SpringService',
    args: Object.entries(settings).map(([name, value]) => `--${name}=${value}`),
    env: agent === undefined ? {} : telemetry,
  })
}

/**
 * Starts a gRPC service that registers itself in Nacos.
 * @param {{ nacos: string, service: string, tag: string, self: string }} options
 */
export async function startGrpcService({ nacos, service, tag, self }) {
  return startJava({
    jars: await grpcClassPath(),
    main: 'laneway.test.GrpcService',
    args: [nacos, service, tag, self],
  })
}

async function startJava({ flags = [], jars, main, args, env = {} }) {
  const home = await mkdtemp(join(tmpdir(), 'laneway-java-'))
  const jvm = [
    '-Xms32m',
    '-Xmx192m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-XX:-UsePerfData',
    `-Duser.home=${home}`,
    `-DJM.LOG.PATH=${home}`,
    `-DJM.SNAPSHOT.PATH=${home}`,
  ]
  const child = spawn('java', [...jvm, ...flags, '-cp', jars, main, ...args], {
    cwd: home,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise(resolve => child.once('exit', resolve))
  living.add(child)
  const stop = async () => {
    living.delete(child)
    child.kill('SIGKILL')
    await ended
    await rm(home, { recursive: true, force: true })
  }
  let said = ''
  const listen = chunk => {
    said = (said + chunk).slice(-20_000)
  }
  child.stderr.on('data', listen)
  try {
    const port = await new Promise((resolve, reject) => {
      const late = setTimeout(
        () => reject(new Error(`${main} was not ready after ${READY_MS} ms: ${lastError(said)}`)),
        READY_MS,
      )
      createInterface({ input: child.stdout }).on('line', line => {
        listen(`${line}\n`)
        const found = /^port (\d+)$/.exec(line)
        if (found === null) return
        clearTimeout(late)
        resolve(Number(found[1]))
      })
      void ended.then(code => {
        clearTimeout(late)
        reject(new Error(`${main} ended with ${code}: ${lastError(said)}`))
      })
    })
    return { pid: child.pid, port, stop, output: () => said }
  } catch (error) {
    await stop()
    throw error
  }
}

function lastError(said) {
  const lines = said.split('\n').filter(line => /ERROR|Exception|Description|APPLICATION/.test(line))
  return (lines.at(-1) ?? said.slice(-300)).slice(0, 400)
}
