// A real Kafka on loopback: one broker that is its own controller, out of Maven artifacts. Needs java (17) and mvn.
//   node test/servers/kafka/start.mjs      prints a line of JSON, stays until SIGTERM
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePorts, launch, ownFolder, stayUntilEnded } from '../loopback-server.mjs'
import { classPath, missing, run } from '../nacos/maven.mjs'

const PROGRAM = {
  name: 'kafka-4.3.1',
  dependencies: [{ group: 'org.apache.kafka', artifact: 'kafka_2.13', version: '4.3.1' }],
}
const JAVA = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']

/** Why there is no Kafka, or undefined when there is. */
export const findKafka = () => missing('Kafka', PROGRAM)

/**
 * Starts it. Topics are made when they are named. Resolves with `{ host, port, address, pid, stop, restart, freeze, thaw }`;
 * `restart()` kills the broker and brings it back on its port with its data.
 *
 * @param {Record<string, string | number>} [more] - properties of the broker
 */
export async function startKafka(more = {}) {
  const jars = await classPath(PROGRAM)
  const { folder } = ownFolder('kafka')
  const [port, controller] = await freePorts(2)
  const properties = join(folder, 'server.properties')
  writeFileSync(
    properties,
    `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controller}
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=PLAINTEXT://127.0.0.1:${port}
controller.listener.names=CONTROLLER
log.dirs=${join(folder, 'data')}
num.partitions=1
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
${Object.entries(more)
  .map(entry => entry.join('='))
  .join('\n')}
`,
  )
  const java = ['-cp', jars, ...JAVA]
  // Kafka takes an id that begins with a hyphen for an option.
  const id = `A${randomBytes(16).toString('base64url').slice(1)}`
  await run('java', [...java, 'kafka.tools.StorageTool', 'format', '-t', id, '-c', properties])
  const start = () => launch('kafka', folder, 'java', [...java, 'kafka.Kafka', properties], { port })
  let server = await start()
  const signal = name => process.kill(server.pid, name)
  async function restart(awayMs = 0) {
    signal('SIGKILL')
    await server.gone
    await sleep(awayMs)
    server = await start()
  }
  return {
    host: '127.0.0.1',
    port,
    address: `127.0.0.1:${port}`,
    get pid() {
      return server.pid
    },
    stop: () => server.stop(),
    restart,
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problem = await findKafka()
  if (problem !== undefined) throw new Error(problem)
  await stayUntilEnded(startKafka())
}
