// fakeLanes beside the tools that tests use. With LANEWAY's preload in NODE_OPTIONS the code under test has no client of ours.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { expressLane } from '@laneway/express'
import { fastifyLane } from '@laneway/fastify'
import { assertNoLeaks, expectLane, fakeLanes } from '@laneway/testing'
import axios from 'axios'
import express from 'express'
import fastify from 'fastify'
import supertest from 'supertest'
import { Agent, getGlobalDispatcher, MockAgent, setGlobalDispatcher, fetch as undiciFetch } from 'undici'

const require = createRequire(import.meta.url)
const registered = process.env.NODE_OPTIONS?.includes('@laneway/testing/register') === true
const PARTNER = 'https://api.example.com/charges'

/** The service under test: it asks sc-b for a price and charges it at a third party. */
function shop(lanes, { copies = false } = {}) {
  const app = express()
  if (!registered) app.use(expressLane())
  const ask = registered ? fetch : lanes.fetch
  app.get('/buy', async (request, response) => {
    const price = await (await ask('http://sc-b/price')).text()
    // What somebody wrote who wanted "all headers to go on".
    const headers = copies ? { 'x-mse-tag': request.headers['x-mse-tag'] } : {}
    const charged = await (await fetch(PARTNER, { method: 'POST', headers })).text()
    response.send(`${price}, ${charged}`)
  })
  app.get('/axios', async (_request, response) => {
    const { data } = await axios.get('http://sc-b/price', registered ? {} : { httpAgent: lanes.agent })
    await axios.post(PARTNER, {})
    response.send(data)
  })
  return app
}

const services = { 'sc-b': { base: 'base price', gray: 'gray price' } }
const buy = (app, path = '/buy') => supertest(app).get(path).set('x-mse-tag', 'gray')

test('supertest and msw', async t => {
  const { setupServer } = require('msw/node')
  const { http, HttpResponse } = require('msw')
  const mock = setupServer(http.post(PARTNER, () => HttpResponse.text('charged')))
  const mocked = []
  mock.events.on('request:start', ({ request }) => mocked.push(request.clone()))
  mock.listen({ onUnhandledRequest: 'bypass' })
  t.after(() => mock.close())
  const lanes = await fakeLanes(services)
  t.after(() => lanes.close())
  const partner = () => mocked.filter(({ url }) => url === PARTNER)

  assert.equal((await buy(shop(lanes))).text, 'gray price, charged')
  assert.equal((await supertest(shop(lanes)).get('/buy')).text, 'base price, charged')
  expectLane(lanes.requests[0], 'gray')
  expectLane(lanes.requests[1], undefined)
  assert.equal(partner().length, 2)
  expectLane(partner(), undefined)
  assertNoLeaks(lanes, { mocked })
  await buy(shop(lanes, { copies: true }))
  if (registered) assertNoLeaks(lanes, { mocked: partner().slice(0, 2) })
  else assert.throws(() => assertNoLeaks(lanes, { mocked }), /api\.example\.com got "gray" with POST \/charges/)
})

test('supertest and MockAgent', async t => {
  const lanes = await fakeLanes(services)
  t.after(() => lanes.close())
  const mocks = new MockAgent({ enableCallHistory: true })
  t.after(() => mocks.close())
  mocks.disableNetConnect()
  mocks.get('https://api.example.com').intercept({ path: '/charges', method: 'POST' }).reply(200, 'charged').persist()
  const call = headers => undiciFetch(PARTNER, { method: 'POST', headers, dispatcher: mocks })
  await call({})
  const mocked = mocks.getCallHistory().calls()
  expectLane(mocked, undefined)
  assertNoLeaks(lanes, { mocked })
  await call({ 'x-mse-tag': 'gray' })
  assert.throws(() => assertNoLeaks(lanes, { mocked: mocks.getCallHistory().calls() }), /api\.example\.com got "gray"/)
})

for (const name of ['nock13', 'nock14']) {
  test(`supertest and ${name}`, async t => {
    const nock = require(name)
    if (!nock.isActive()) nock.activate()
    nock.disableNetConnect()
    nock.enableNetConnect(/^(sc-b|127\.0\.0\.1)/)
    t.after(() => {
      nock.cleanAll()
      nock.enableNetConnect()
      nock.restore()
    })
    const mocked = []
    nock('https://api.example.com')
      .post('/charges')
      .reply(200, function reply() {
        mocked.push(this.req)
        return 'charged'
      })
    const lanes = await fakeLanes(services)
    t.after(() => lanes.close())
    assert.equal((await buy(shop(lanes), '/axios')).text, 'gray price')
    expectLane(lanes.requests, 'gray')
    expectLane(mocked, undefined)
    assertNoLeaks(lanes, { mocked })
  })
}

test('inject of Fastify', async t => {
  const lanes = await fakeLanes(services)
  t.after(() => lanes.close())
  const app = fastify()
  t.after(() => app.close())
  if (!registered) app.register(fastifyLane)
  const ask = registered ? fetch : lanes.fetch
  app.get('/', async () => (await ask('http://sc-b/price')).text())
  const answer = await app.inject({ url: '/', headers: { 'x-mse-tag': 'gray' } })
  assert.equal(answer.body, 'gray price')
  assert.equal((await app.inject('/')).body, 'base price')
  expectLane(lanes.requests[0], 'gray')
  expectLane(lanes.requests[1], undefined)
})

test('a global dispatcher of the test', async t => {
  const before = getGlobalDispatcher()
  const agent = new Agent()
  setGlobalDispatcher(agent)
  t.after(async () => {
    setGlobalDispatcher(before)
    await agent.close()
  })
  const lanes = await fakeLanes(services)
  t.after(() => lanes.close())
  assert.equal(await (await lanes.fetch('http://sc-b/')).text(), 'base price')
})
