import { existsSync, readFileSync } from 'node:fs'
import { get } from 'node:http'
import { runInLane as runInLaneOfCore } from '@laneway/core'
import { composeLane } from '@laneway/undici'
import express from 'express'
import t from 'tap'
import { Agent, request } from 'undici'
import { expectLane, fakeLanes, runInLane } from '../src/index.js'

const text = async (answer: Promise<Response>) => (await answer).text()

t.test('requests reach the stub of their lane, by fetch, by http and by undici, and are recorded', async t => {
  await using lanes = await fakeLanes({ 'sc-b': { base: 'from base', gray: { from: 'gray' } }, 'sc-c': { base: 'c' } })
  t.equal(await text(lanes.fetch('http://sc-b/prices?of=1')), 'from base')
  t.equal(await runInLane('gray', () => text(lanes.fetch('http://sc-b/prices', { method: 'POST' }))), '{"from":"gray"}')
  t.equal(await runInLane('gray', () => text(lanes.fetch('http://sc-c/'))), 'c', 'no gray: base')
  await runInLane('gray', () => new Promise(done => get('http://sc-b/http', { agent: lanes.agent }, done)))
  const dispatcher = composeLane(new Agent(), { resolver: lanes.resolver })
  await runInLane('blue', () => request('http://sc-b/undici', { dispatcher }))
  await dispatcher.close()
  t.strictSame(
    lanes.requests.map(({ service, instance, lane, method, url }) => [service, instance, lane, method, url]),
    [
      ['sc-b', 'base', undefined, 'GET', '/prices?of=1'],
      ['sc-b', 'gray', 'gray', 'POST', '/prices'],
      ['sc-c', 'base', 'gray', 'GET', '/'],
      ['sc-b', 'gray', 'gray', 'GET', '/http'],
      ['sc-b', 'base', 'blue', 'GET', '/undici'],
    ],
  )
  t.equal(lanes.requests[0]?.headers.host, 'sc-b')
  lanes.reset()
  t.strictSame(lanes.requests, [])
})

t.test('an answer is a function that answers, returns, or is an application, and runs in the lane', async t => {
  await using lanes = await fakeLanes({
    answers: { base: (_request, response) => void response.writeHead(201).end('created') },
    returns: { base: async request => ({ path: request.url }) },
    fails: { base: () => Promise.reject(new Error('no price')) },
    application: { base: express().get('/a', (_request, response) => void response.send('express')) },
    chain: { base: async () => (await lanes.fetch('http://last/')).text() },
    last: { base: 'the last, base', gray: 'the last, gray' },
  })
  const answer = await lanes.fetch('http://answers/')
  t.strictSame([answer.status, await answer.text()], [201, 'created'])
  t.equal(await text(lanes.fetch('http://returns/x')), '{"path":"/x"}')
  const failed = await lanes.fetch('http://fails/')
  t.strictSame([failed.status, await failed.text()], [500, 'Error: no price'])
  t.equal(await text(lanes.fetch('http://application/a')), 'express')
  t.equal(await runInLane('gray', () => text(lanes.fetch('http://chain/'))), 'the last, gray')
})

t.test('a service with lanes only has no base', async t => {
  await using lanes = await fakeLanes({ 'sc-b': { gray: 'gray' } })
  await t.rejects(lanes.fetch('http://sc-b/'), { cause: { code: 'LANEWAY_NO_BASE' } })
})

t.test('another header', async t => {
  await using lanes = await fakeLanes({ 'sc-b': { base: '', gray: '' } }, { header: 'X-Lane' })
  await runInLane('gray', () => lanes.fetch('http://sc-b/'))
  t.match(lanes.requests, [{ instance: 'gray', lane: 'gray', headers: { 'x-lane': 'gray' } }])
  expectLane(lanes.requests, 'gray', 'X-Lane')
})

t.test('env names a file with the instances, which close removes; a second close does nothing', async t => {
  const lanes = await fakeLanes({ 'sc-b': { base: '', gray: '' } })
  const file = lanes.env.LANEWAY_ENDPOINTS_FILE
  const { services } = JSON.parse(readFileSync(file, 'utf8'))
  t.match(services['sc-b'], [
    { host: '127.0.0.1', tags: [] },
    { host: '127.0.0.1', tags: ['gray'] },
  ])
  await lanes.close()
  t.notOk(existsSync(file))
  await lanes.close()
  await t.rejects(lanes.fetch('http://sc-b/'))
})

t.test('what is no service, no tag or no option is refused, and nothing stays open', async t => {
  await t.rejects(fakeLanes({ 'sc-b': 'base' as never }), { code: 'LANEWAY_INVALID_OPTION' })
  await t.rejects(fakeLanes({ 'sc-b': { base: 1 as never } }), { code: 'LANEWAY_INVALID_OPTION' })
  await t.rejects(fakeLanes({ 'sc-b': { base: '', 'no tag!': '' } }), { code: 'LANEWAY_INVALID_TAG' })
  await t.rejects(fakeLanes({}, { haeder: 'x' } as never), /header/)
})

t.test('two at once do not see each other', async t => {
  await using one = await fakeLanes({ 'sc-b': { base: 'one' } })
  await using two = await fakeLanes({ 'sc-b': { base: 'two' } })
  t.strictSame(await Promise.all([one, two].map(({ fetch }) => text(fetch('http://sc-b/')))), ['one', 'two'])
  t.strictSame([one.requests.length, two.requests.length], [1, 1])
})

t.test('runInLane is the one of @laneway/core', async t => t.equal(runInLane, runInLaneOfCore))
