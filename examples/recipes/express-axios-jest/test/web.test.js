const { once } = require('node:events')
const { createServer } = require('node:http')
const { assertNoLeaks, expectLane, fakeLanes } = require('@laneway/testing')
const axios = require('axios')
const { createWeb } = require('../src/web')

let lanes
let web

beforeAll(async () => {
  lanes = await fakeLanes({ orders: { base: 'orders 1.0', gray: 'orders 1.1' } })
  web = createServer(createWeb()).listen(0, '127.0.0.1')
  await once(web, 'listening')
})
beforeEach(() => lanes.reset())

afterAll(async () => {
  web.close()
  web.closeAllConnections()
  await lanes.close()
})

const cart = async headers => (await axios.get(`http://127.0.0.1:${web.address().port}/cart`, { headers })).data

test('a request without a tag goes to base', async () => {
  expect(await cart({})).toBe('web -> orders 1.0')
  expectLane(lanes.requests, undefined)
})

test('a request of the lane gray goes to gray, and takes its tag along', async () => {
  expect(await cart({ 'x-mse-tag': 'gray' })).toBe('web -> orders 1.1')
  expectLane(lanes.requests, 'gray')
})

test('a request of a lane without instances goes to base, and takes its tag along', async () => {
  expect(await cart({ 'x-mse-tag': 'blue' })).toBe('web -> orders 1.0')
  expectLane(lanes.requests, 'blue')
  assertNoLeaks(lanes)
})
