import http from 'node:http'
import https from 'node:https'
import { runInLane } from '@laneway/core'
import { LaneAgent, LaneHttpsAgent } from '@laneway/http'
import { fakeResolver } from '@laneway/testkit/egress'
import axios from 'axios'
import { got } from 'got'

const { GRAY, SECURE, CERT } = process.env
const gray = { port: Number(GRAY), tag: 'gray' }
const plain = { resolver: fakeResolver({ 'sc-b': [gray] }), warn: () => {} }
const secure = { resolver: fakeResolver({ 'sc-b': [{ port: Number(SECURE), tag: 'gray' }] }), warn: () => {} }
const proxied = { proxyEnv: process.env } as http.AgentOptions

function get(url: string, agent: http.Agent): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = (url.startsWith('https:') ? https : http).get(url, { agent, ca: CERT }, response => {
      response.on('end', () => resolve(response.statusCode)).resume()
    })
    request.on('error', reject)
  })
}

const agent = new LaneAgent(plain, proxied)
const httpsAgent = new LaneHttpsAgent(secure, { ...proxied, ca: CERT } as https.AgentOptions)
const status = [
  await runInLane('gray', get, 'http://sc-b/b?c=d', agent),
  await runInLane('gray', get, 'http://third.example/', agent),
  await runInLane('gray', get, 'https://sc-b/', httpsAgent),
  await runInLane('gray', get, 'https://localhost/', httpsAgent),
]
for (const url of [
  'http://sc-b/axios',
  'http://third.example/axios',
  'https://sc-b/axios',
  'https://localhost/axios',
]) {
  status.push(await runInLane('gray', async () => (await axios.get(url, { httpAgent: agent, httpsAgent })).status))
}
for (const url of ['http://sc-b/got', 'http://third.example/got', 'https://sc-b/got', 'https://localhost/got']) {
  const options = { agent: { http: agent, https: httpsAgent }, https: { certificateAuthority: CERT! } }
  status.push(await runInLane('gray', async () => (await got(url, options)).statusCode))
}
agent.destroy()
httpsAgent.destroy()
console.log(JSON.stringify({ status }))
