// What the test files of each runner define. `testing` is @laneway/testing as that runner loaded it.
const assert = require('node:assert')
const { createServer, get } = require('node:http')

const TAGS = ['gray', undefined, 'blue', 'gray', undefined]
const HAND_SET = { 'x-mse-tag': 'gray' }
const lookup = (_name, options, done) =>
  options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4)

/** Each test file of a run has other answers, so that one that reached the stubs of another would fail. */
const own = `${process.pid} ${Math.random()}`
const services = () => ({ 'sc-b': { base: { own, from: 'base' }, gray: { own, from: 'gray' } } })

/** Sends a request with a tag that somebody copied to a third party: a name that leads to this machine. */
async function callThirdParty() {
  const server = createServer((_request, response) => response.end('charged'))
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  const options = {
    host: 'api.example.com',
    port: server.address().port,
    path: '/charges',
    agent: false,
    lookup,
    headers: HAND_SET,
  }
  await new Promise((resolve, reject) =>
    get(options, response => response.resume().on('end', resolve)).on('error', reject),
  )
  await new Promise(resolve => server.close(resolve))
}

async function asked(lanes, runInLane, client) {
  const answers = await Promise.all(TAGS.map(tag => runInLane(tag, client)))
  assert.deepEqual(
    answers.map(answer => [answer.own, answer.from]),
    TAGS.map(tag => [own, tag === 'gray' ? 'gray' : 'base']),
  )
  assert.equal(lanes.requests.length, TAGS.length, 'nobody else reached these stubs')
}

exports.passes = (test, { assertNoLeaks, expectLane, fakeLanes, runInLane }) => {
  test('requests reach the stub of their lane', async () => {
    const lanes = await fakeLanes(services())
    try {
      await asked(lanes, runInLane, async () => (await lanes.fetch('http://sc-b/')).json())
      const inGray = lanes.requests.filter(({ instance }) => instance === 'gray')
      assert.equal(inGray.length, 2)
      expectLane(inGray, 'gray')
      assertNoLeaks(lanes)
    } finally {
      await lanes.close()
    }
  })
  test('the stubs of the test before are gone', async () => {
    const lanes = await fakeLanes({ 'sc-b': { base: { own, from: 'the second' } } })
    assert.equal((await (await lanes.fetch('http://sc-b/')).json()).from, 'the second')
    await lanes.close()
  })
}

/** For runners that @laneway/testing/register was preloaded into: the code knows nothing of Laneway. */
exports.registered = (test, { assertNoLeaks, expectLane, fakeLanes, runInLane }) => {
  const text = url =>
    new Promise((resolve, reject) => {
      get(url, { agent: false }, response => {
        let body = ''
        response.on('data', data => (body += data)).on('end', () => resolve(body))
      }).on('error', reject)
    })
  test('code without Laneway reaches the stub of its lane', async () => {
    const lanes = await fakeLanes(services())
    try {
      await asked(lanes, runInLane, async () => (await fetch('http://sc-b/')).json())
      lanes.reset()
      await asked(lanes, runInLane, async () => JSON.parse(await text('http://sc-b/')))
      expectLane(lanes.requests[0], 'gray')
      assertNoLeaks(lanes)
      await assert.rejects(fakeLanes(services()), {
        code: 'LANEWAY_INVALID_OPTION',
        message: /"sc-b" is faked already/,
      })
    } finally {
      await lanes.close()
    }
  })
  test('the same service again, and one that was asked for too early', async () => {
    await assert.rejects(fetch('http://sc-late/'))
    const lanes = await fakeLanes({ 'sc-b': { base: 'again' }, 'sc-late': { gray: 'late' } })
    try {
      assert.equal(await (await fetch('http://sc-b/')).text(), 'again')
      assert.equal(await runInLane('gray', async () => (await fetch('http://sc-late/')).text()), 'late')
    } finally {
      await lanes.close()
    }
  })
}

/** Each of these has to fail. */
exports.fails = (test, { assertNoLeaks, expectLane, fakeLanes, runInLane }) => {
  const within = check => async () => {
    const lanes = await fakeLanes(services())
    try {
      await check(lanes)
    } finally {
      await lanes.close()
    }
  }
  test(
    'in another lane',
    within(async lanes => {
      await runInLane('gray', () => lanes.fetch('http://sc-b/'))
      expectLane(lanes.requests[0], 'blue')
    }),
  )
  test(
    'nothing arrived',
    within(lanes => expectLane(lanes.requests[0], 'gray')),
  )
  test(
    'a third party got the tag',
    within(async lanes => {
      await callThirdParty()
      assertNoLeaks(lanes)
    }),
  )
}

exports.FAILURES = [
  'expected GET / to sc-b in lane "blue", and it was in lane "gray"',
  'expected a request, and none arrived',
  'api.example.com got "gray" with GET /charges',
]
