// A service that calls as it is told through the proxy agent of a library, and knows nothing of lanes.
import http from 'node:http'
import https from 'node:https'
import { createRequire } from 'node:module'
import axios from 'axios'
import got from 'got'
import { HttpProxyAgent } from 'http-proxy-agent'
import { HttpsProxyAgent } from 'https-proxy-agent'
import { HttpsProxyAgent as HttpsProxyAgent9 } from 'https-proxy-agent-9'
import * as undici from 'undici'

// The version that axios brings: its agents are no `http.Agent`.
const { HttpsProxyAgent: HttpsProxyAgent5 } = createRequire(createRequire(import.meta.url).resolve('axios'))(
  'https-proxy-agent',
)
const { PROXY, CERT } = process.env
const both = agent => ({ http: agent, https: agent })
const agents = {
  'http-proxy-agent 7 for http, https-proxy-agent 7 for https': {
    http: new HttpProxyAgent(PROXY),
    https: new HttpsProxyAgent(PROXY),
  },
  'https-proxy-agent 5': both(new HttpsProxyAgent5(PROXY)),
  'https-proxy-agent 7': both(new HttpsProxyAgent(PROXY)),
  'https-proxy-agent 9': both(new HttpsProxyAgent9(PROXY)),
  'https-proxy-agent 7, keep-alive': both(new HttpsProxyAgent(PROXY, { keepAlive: true, maxSockets: 1 })),
}

function viaUndici(dispatcher) {
  return async (url, _agents, headers) => (await undici.request(url, { dispatcher, headers })).body.text()
}
const trusting = new https.Agent({ ca: CERT })
const clients = {
  get: (url, agents, headers) =>
    new Promise((resolve, reject) => {
      const secure = url.startsWith('https:')
      const agent = agents?.[secure ? 'https' : 'http']
      const request = (secure ? https : http).get(url, { agent, headers }, async response => {
        resolve((await response.setEncoding('utf8').toArray()).join(''))
      })
      request.on('error', reject)
    }),
  axios: async (url, agents, headers) => {
    const own = agents === undefined ? {} : { httpAgent: agents.http, httpsAgent: agents.https, proxy: false }
    return (await axios.get(url, { ...own, headers, responseType: 'text' })).data
  },
  'axios with an authority': async url => (await axios.get(url, { httpsAgent: trusting, responseType: 'text' })).data,
  got: (url, agents, headers) => {
    const own = agents === undefined ? {} : { agent: agents }
    return got(url, { ...own, headers, https: { rejectUnauthorized: false }, retry: { limit: 0 } }).text()
  },
  'ProxyAgent of undici': viaUndici(new undici.ProxyAgent({ uri: PROXY, requestTls: { rejectUnauthorized: false } })),
  'EnvHttpProxyAgent of undici': viaUndici(
    new undici.EnvHttpProxyAgent({ httpProxy: PROXY, httpsProxy: PROXY, requestTls: { rejectUnauthorized: false } }),
  ),
  fetch: async (url, _agents, headers) => (await fetch(url, { headers })).text(),
}

const { GLOBAL_AGENT } = process.env
if (GLOBAL_AGENT !== undefined) {
  http.globalAgent = agents[GLOBAL_AGENT].http
  https.globalAgent = agents[GLOBAL_AGENT].https
}

const server = http.createServer(async (req, res) => {
  const asked = new URL(req.url, 'http://here').searchParams
  const tag = asked.get('hand')
  try {
    const call = clients[asked.get('client')]
    res.end(await call(asked.get('url'), agents[asked.get('agent')], tag === null ? {} : { 'x-mse-tag': tag }))
  } catch (error) {
    res.end(String(error?.stack ?? error))
  }
})
server.listen(0, '127.0.0.1', () => console.log(`serving on ${server.address().port}`))
