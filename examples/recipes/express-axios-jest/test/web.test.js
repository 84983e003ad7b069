const { once } = require('node:events')
const { createServer } = require('node:http')
const axios = require('axios')
const endpoints = require('../endpoints.json')
const { createWeb } = require('../src/web')

const servers = []
let web

async function listen(server, port) {
  servers.push(server.listen(port, '127.0.0.1'))
  await once(server, 'listening')
  return server.address().port
}

beforeAll(async () => {
  // Stubs of orders at the addresses of endpoints.json: each answers with the tag that it has received.
  for (const { port, tags = ['base'] } of endpoints.services.orders) {
    await listen(
      createServer((req, res) => res.end(`${tags[0]} got ${req.headers['x-mse-tag'] ?? 'no tag'}`)),
      port,
    )
  }
  web = `http://127.0.0.1:${await listen(createServer(createWeb()), 0)}/cart`
})

afterAll(() => {
  for (const server of servers) server.close()
})

test('a request without a tag goes to base', async () => {
  expect((await axios.get(web)).data).toBe('web -> base got no tag')
})

test('a request of the lane gray goes to gray, and takes its tag along', async () => {
  expect((await axios.get(web, { headers: { 'x-mse-tag': 'gray' } })).data).toBe('web -> gray got gray')
})

test('a request of a lane without instances goes to base, and takes its tag along', async () => {
  expect((await axios.get(web, { headers: { 'x-mse-tag': 'blue' } })).data).toBe('web -> base got blue')
})
