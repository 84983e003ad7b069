// `/?form=get(URL)` calls the service in that way of `node:http` and tells what came back.
import http, { get, request } from 'node:http'
import net from 'node:net'

const url = 'http://svc/'
const asUrl = new URL(url)
const asOptions = { hostname: 'svc', path: '/' }
const connect = { createConnection: options => net.connect(options) }

/** Each gets a callback for the response and returns the request, ended or not. */
const forms = {
  'get(text, callback)': done => get(url, done),
  'get(URL, callback)': done => get(asUrl, done),
  'get(options, callback)': done => get(asOptions, done),
  'get(text, options, callback)': done => get(url, {}, done),
  'get(URL, options, callback)': done => get(asUrl, { method: 'GET' }, done),
  'get(text)': done => get(url).on('response', done),
  'get(options)': done => get(asOptions).on('response', done),
  'get(text, options)': done => get(url, {}).on('response', done),
  'http.get': done => http.get(url, done),
  'request(text, callback)': done => request(url, done).end(),
  'request(URL, options)': done => request(asUrl, {}).on('response', done).end(),
  'request(options, callback)': done => request({ ...asOptions, host: 'svc' }, done).end(),
  'a POST with a body': done => request(url, { method: 'POST' }, done).end('body'),
  'a POST in pieces': done => {
    const made = request(url, { method: 'POST' }, done)
    made.write('one')
    made.end('two')
    return made
  },
  'new http.ClientRequest': done => new http.ClientRequest(url, done).end(),
  'headers in pairs': done =>
    get(
      url,
      {
        headers: [
          ['Host', 'svc'],
          ['X-A', '1'],
        ],
      },
      done,
    ),
  'headers in a flat list': done => get(url, { headers: ['Host', 'svc', 'X-A', '1'] }, done),
  'Expect: 100-continue': done => {
    const made = request(url, { method: 'POST', headers: { Expect: '100-continue' } }, done)
    return made.on('continue', () => made.end('body'))
  },
  'agent: false': done => get(url, { agent: false }, done),
  'agent: new Agent': done => get(url, { agent: new http.Agent() }, done),
  'an agent with keepAlive and maxSockets': done => get(url, { agent: bounded }, done),
  'createConnection without an agent': done => get(url, connect, done),
  'createConnection, headers in a flat list': done => get(url, { ...connect, headers: ['Host', 'svc'] }, done),
  'createConnection, agent: false': done => get(url, { ...connect, agent: false }, done),
  'createConnection, URL and options': done => request(asUrl, connect, done).end(),
  'flushHeaders before anything else': done => {
    const made = request(url, { method: 'POST' }, done)
    made.flushHeaders()
    return made.end('late')
  },
  setHeader: done => {
    const made = request(url, done)
    made.setHeader('x-a', '1')
    return made.end()
  },
}
const bounded = new http.Agent({ keepAlive: true, maxSockets: 1 })

const call = form =>
  new Promise((resolve, reject) => {
    const made = forms[form](response => {
      let text = ''
      response.on('data', chunk => (text += chunk))
      response.on('end', () => resolve(text))
    })
    made.on('error', reject)
  })

const server = http.createServer(async (req, res) => {
  const { pathname, searchParams } = new URL(req.url, 'http://calls')
  try {
    res.end(pathname === '/forms' ? JSON.stringify(Object.keys(forms)) : await call(searchParams.get('form')))
  } catch (error) {
    res.writeHead(500).end(String(error?.stack ?? error))
  }
})
server.listen(0, '127.0.0.1', () => console.log(`serving on ${server.address().port}`))
