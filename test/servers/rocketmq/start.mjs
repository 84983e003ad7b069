// A real RocketMQ on loopback: name server, and broker with gRPC proxy, out of Maven artifacts. Needs java and mvn.
//   node test/servers/rocketmq/start.mjs      prints a line of JSON, stays until SIGTERM
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { answers, freePorts, launch, ownFolder, stayUntilEnded } from '../loopback-server.mjs'
import { classPath, missing } from '../nacos/maven.mjs'
import { knowsTopic } from './topic-route.mjs'

const VERSION = '5.3.3'
const PROGRAM = {
  name: `rocketmq-${VERSION}`,
  dependencies: ['namesrv', 'broker', 'proxy'].map(part => ({
    group: 'org.apache.rocketmq',
    artifact: `rocketmq-${part}`,
    version: VERSION,
  })),
}
const JAVA = [
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  // Its stores map files by what Java 17 and later keep closed.
  '--add-opens=java.base/java.nio=ALL-UNNAMED',
  '--add-opens=java.base/sun.nio.ch=ALL-UNNAMED',
]

/** Why there is no RocketMQ, or undefined when there is. */
export const findRocketmq = () => missing('RocketMQ', PROGRAM)

/**
 * Starts it. Resolves with `{ host, port, address, nameServer, pid, stop, restart }`; clients of version 5 take `address`,
 * which is the proxy. `restart()` kills the broker and starts it on its data.
 *
 * @param {Record<string, 'NORMAL' | 'FIFO' | 'DELAY' | 'TRANSACTION'>} topics - they have to be there before a message is
 * sent to them. The admin tool takes seconds for each, so the broker finds them in its store
 * @param {Record<string, object>} [groups] - consumer groups with settings of their own: `retryMaxTimes`,
 * `consumeMessageOrderly`; others make themselves
 * @param {Record<string, string | number | boolean>} [settings] - of the broker, beside those below
 */
export async function startRocketmq(topics, groups = {}, settings = {}) {
  const jars = await classPath(PROGRAM)
  const { folder } = ownFolder('rocketmq')
  const [name, broker, ha, port, remoting] = await ports()
  const nameServer = `127.0.0.1:${name}`
  for (const one of ['conf', 'store/config', 'home']) mkdirSync(join(folder, one), { recursive: true })
  writeFileSync(join(folder, 'store', 'config', 'topics.json'), JSON.stringify({ topicConfigTable: tableOf(topics) }))
  const table = JSON.stringify({ subscriptionGroupTable: tableOfGroups(groups) })
  writeFileSync(join(folder, 'store', 'config', 'subscriptionGroup.json'), table)
  const write = (file, text) => {
    writeFileSync(join(folder, 'conf', file), text)
    return join(folder, 'conf', file)
  }
  const lines = entries =>
    Object.entries(entries)
      .map(([key, value]) => `${key}=${value}\n`)
      .join('')
  const namesrvConf = write('namesrv.conf', lines({ listenPort: name, bindAddress: '127.0.0.1' }))
  const brokerConf = write(
    'broker.conf',
    lines({
      brokerClusterName: 'DefaultCluster',
      brokerName: 'broker-a',
      brokerId: 0,
      brokerIP1: '127.0.0.1',
      bindAddress: '127.0.0.1',
      namesrvAddr: nameServer,
      listenPort: broker,
      haListenPort: ha,
      storePathRootDir: join(folder, 'store'),
      storePathCommitLog: join(folder, 'store', 'commitlog'),
      // One gigabyte by default.
      mappedFileSizeCommitLog: 16_777_216,
      mappedFileSizeConsumeQueue: 60_000,
      autoCreateSubscriptionGroup: true,
      enablePropertyFilter: true,
      diskMaxUsedSpaceRatio: 95,
      // Five seconds by default: a broker that is killed hands out again what it has handed out since, acknowledged or not.
      flushConsumerOffsetInterval: 100,
      // Asks soon what became of a transaction.
      transactionTimeOut: 1000,
      transactionCheckInterval: 1000,
      ...settings,
    }),
  )
  const proxyConf = write(
    'rmq-proxy.json',
    JSON.stringify({
      rocketMQClusterName: 'DefaultCluster',
      namesrvAddr: nameServer,
      grpcServerPort: port,
      remotingListenPort: remoting,
      proxyMode: 'local',
      localServeAddr: '127.0.0.1',
      grpcBossLoopNum: 1,
      grpcWorkerLoopNum: 2,
      enableGrpcEpoll: false,
    }),
  )
  const env = { ...process.env, ROCKETMQ_HOME: folder, RMQ_LOGBACK_XML: 'none' }
  const java = [...JAVA, `-Duser.home=${join(folder, 'home')}`, '-cp', jars]
  const names = await launch(
    'rocketmq name server',
    folder,
    'java',
    ['-Xmx128m', ...java, 'org.apache.rocketmq.namesrv.NamesrvStartup', '-c', namesrvConf],
    { env, port: name },
  )
  const proxy = ['-pm', 'local', '-pc', proxyConf, '-bc', brokerConf, '-n', nameServer]
  const heap = ['-Xmx384m', '-XX:MaxDirectMemorySize=256m']
  const launchBroker = () =>
    launch(
      'rocketmq broker',
      folder,
      'java',
      [...heap, ...java, 'org.apache.rocketmq.proxy.ProxyStartup', ...proxy],
      // The broker registers its topics after the proxy listens, and the proxy remembers for a while what it did not find.
      { env, ready: async () => (await answers(port)) && registered(name, Object.keys(topics)) },
    )
  let server
  try {
    server = await launchBroker()
  } catch (error) {
    await names.stop()
    throw error
  }

  async function stop() {
    await server.stop()
    await names.stop()
  }
  async function restart(awayMs = 0) {
    process.kill(server.pid, 'SIGKILL')
    await server.gone
    await sleep(awayMs)
    server = await launchBroker()
  }
  return {
    host: '127.0.0.1',
    port,
    address: `127.0.0.1:${port}`,
    nameServer,
    get pid() {
      return server.pid
    },
    stop,
    restart,
  }
}

/** A broker also listens on the port two below its own. */
async function ports() {
  for (;;) {
    const free = await freePorts(5)
    const fast = free[1] - 2
    if (!free.includes(fast) && !(await answers(fast))) return free
  }
}

function tableOfGroups(groups) {
  const one = ([groupName, settings]) => ({ groupName, consumeEnable: true, consumeBroadcastEnable: true, ...settings })
  return Object.fromEntries(Object.entries(groups).map(group => [group[0], one(group)]))
}

async function registered(port, topics) {
  for (const topic of topics) if (!(await knowsTopic(port, topic))) return false
  return true
}

function tableOf(topics) {
  const one = ([topicName, type]) => ({
    topicName,
    attributes: { 'message.type': type },
    readQueueNums: 2,
    writeQueueNums: 2,
    perm: 6,
    order: false,
    topicFilterType: 'SINGLE_TAG',
    topicSysFlag: 0,
  })
  return Object.fromEntries(Object.entries(topics).map(topic => [topic[0], one(topic)]))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problem = await findRocketmq()
  if (problem !== undefined) throw new Error(problem)
  await stayUntilEnded(startRocketmq({ orders: 'NORMAL' }))
}
