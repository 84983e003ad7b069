// A Java service beside Node: a push consumer and a producer of RocketMQ's remoting protocol, out of Maven artifacts.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { classPath } from '../nacos/maven.mjs'

/**
 * Starts one. Resolves once it consumes, with `{ got, send(lane, body), stop }`; `got` grows with each body.
 *
 * @param {{ nameServer: string, topic: string, group: string, filter?: string }} options - `filter` is SQL92
 */
export async function startJavaService({ nameServer, topic, group, filter = '*' }) {
  const jars = await classPath({
    name: 'rocketmq-java-service',
    dependencies: [{ group: 'org.apache.rocketmq', artifact: 'rocketmq-client', version: '5.3.3' }],
    sources: [fileURLToPath(new URL('./JavaService.java', import.meta.url))],
  })
  const args = [
    '-XX:TieredStopAtLevel=1',
    '-Xmx128m',
    '-cp',
    jars,
    'laneway.test.JavaService',
    nameServer,
    topic,
    group,
  ]
  const child = spawn('java', [...args, filter], { stdio: ['pipe', 'pipe', 'pipe'] })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  let errors = ''
  child.stderr.on('data', chunk => (errors = (errors + chunk).slice(-2000)))
  const got = []
  await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', line => {
      if (line === 'ready') resolve()
      else if (line.startsWith('got ')) got.push(line.slice(4))
    })
    child.once('exit', code => reject(new Error(`the Java service ended with ${code}: ${errors}`)))
  })
  return {
    got,
    send: (lane, body) => child.stdin.write(`${lane ?? '-'} ${body}\n`),
    async stop() {
      const gone = new Promise(resolve => child.once('exit', resolve))
      child.stdin.end()
      await gone
      process.off('exit', kill)
    },
  }
}
