// Mocks a service, in the ways of undici, and tells what the mocks were asked.
import http from 'node:http'
import * as undici7 from 'undici'
import * as undici6 from 'undici6'

const text = async answer => (await answer).body.text()

async function ask(undici) {
  const mock = new undici.MockAgent()
  mock.disableNetConnect()
  const pool = mock.get('http://svc')
  const asked = []
  pool
    .intercept({ path: '/' })
    .reply(({ origin, headers }) => {
      const tags = Array.isArray(headers) ? headers[headers.indexOf('x-mse-tag') + 1] : headers?.['x-mse-tag']
      asked.push(`${origin}[${tags ?? ''}]`)
      return { statusCode: 200, data: 'mocked' }
    })
    .persist()
  const said = [
    await text(undici.request('http://svc/', { dispatcher: mock, headers: { 'x-own': '1' } })),
    await text(pool.request({ path: '/', method: 'GET', headers: { 'x-own': '1' } })),
  ]
  const before = undici.getGlobalDispatcher()
  undici.setGlobalDispatcher(mock)
  said.push(await text(undici.request('http://svc/')))
  said.push(await (await fetch('http://svc/')).text())
  said.push(
    await fetch('http://svc/other').then(
      () => 'answered',
      () => 'refused',
    ),
  )
  said.push(
    await undici.request('http://svc/other').then(
      () => 'answered',
      () => 'refused',
    ),
  )
  mock.enableNetConnect('svc')
  said.push(await text(undici.request('http://svc/other')))
  mock.deactivate()
  said.push(await text(undici.request('http://svc/')))
  undici.setGlobalDispatcher(before)
  await mock.close()
  return { said, asked }
}

const server = http.createServer(async (_req, res) => {
  try {
    const answers = { 6: await ask(undici6), 7: await ask(undici7) }
    res.end(JSON.stringify(answers))
  } catch (error) {
    res.writeHead(500).end(String(error?.stack ?? error))
  }
})
server.listen(0, '127.0.0.1', () => console.log(`serving on ${server.address().port}`))
