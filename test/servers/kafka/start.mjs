// A real Kafka on loopback: one broker that is its own controller, out of Maven artifacts. Needs java and mvn.
//   node test/servers/kafka/start.mjs      prints a line of JSON, stays until SIGTERM
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePorts, launch, ownFolder, stayUntilEnded } from '../loopback-server.mjs'
import { classPath, missing, run } from '../nacos/maven.mjs'

const PROGRAM = {
  name: 'kafka-3.9.1',
  dependencies: [{ group: 'org.apache.kafka', artifact: 'kafka_2.13', version: '3.9.1' }],
}
const JAVA = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']

/** Why there is no Kafka, or undefined when there is. */
export const findKafka = () => missing('Kafka', PROGRAM)

/** Starts it. Topics are made when they are named. Resolves with `{ host, port, address, pid, stop }`. */
export async function startKafka() {
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
group.initial.rebalance.delay.ms=0
`,
  )
  const java = ['-cp', jars, ...JAVA]
  const id = randomBytes(16).toString('base64url')
  await run('java', [...java, 'kafka.tools.StorageTool', 'format', '-t', id, '-c', properties])
  const server = await launch('kafka', folder, 'java', [...java, 'kafka.Kafka', properties], { port })
  return { host: '127.0.0.1', port, address: `127.0.0.1:${port}`, ...server }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problem = await findKafka()
  if (problem !== undefined) throw new Error(problem)
  await stayUntilEnded(startKafka())
}
