import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Control, type ControlEvent, channels, createControl, currentLane, runInLane } from '@laneway/core'
import { createEgressScope, createIngress, isLeftAlone, switchLaneway } from '@laneway/core/internal'
import { eventually } from '@laneway/testkit'
import t, { type Test } from 'tap'

const settle = (t: Test, control: Control) => {
  t.teardown(() => {
    control.close()
    control.replace('{}')
  })
}

const warnings: string[] = []
process.on('warning', ({ name, message }) => {
  if (name === 'LanewayWarning') warnings.push(message)
})

t.test('a document switches Laneway off and on, and says so', async t => {
  const events: ControlEvent[] = []
  const note = (event: ControlEvent) => events.push(event)
  channels.control.subscribe(note)
  t.teardown(() => channels.control.unsubscribe(note))
  const control = createControl({ source: 'test' })
  settle(t, control)
  const { enabledSince } = control.state()
  t.match(control.state(), { enabled: true, since: undefined, settings: {}, problem: undefined })
  t.equal(control.replace('{"enabled": false}'), true)
  t.equal(isLeftAlone(), true)
  t.match(control.state(), { source: 'test', enabled: false, settings: {}, problem: undefined })
  t.match(control.state().since, /^\d{4}-.*Z$/)
  t.ok(control.state().enabledSince >= enabledSince)
  t.equal(control.replace('{"enabled": false, "propagateTo": ["api.example"]}'), true)
  t.equal(control.replace('{}'), true)
  t.equal(isLeftAlone(), false)
  t.strictSame(
    events.map(({ outcome, enabled, settings }) => [outcome, enabled, settings]),
    [
      ['taken', false, {}],
      ['taken', false, { propagateTo: ['api.example'] }],
      ['taken', true, {}],
    ],
  )
  await eventually(() => warnings.length >= 3)
  t.match(warnings[0], /^test: Laneway is switched off; the settings of the start are in use$/)
  t.match(warnings[2], /^test: Laneway is switched on; /)
})

const BAD: Record<string, [document: unknown, problem: RegExp]> = {
  'no JSON': ['{"enabled": fal', /test is no JSON/],
  empty: ['', /test is no JSON/],
  nothing: [undefined, /test is a JSON object such as \{"enabled": true\}, received undefined/],
  null: ['null', /received null/],
  'a list': ['[]', /is a JSON object/],
  'a text': ['"off"', /is a JSON object/],
  'an object that was not read': [{ enabled: false }, /is a JSON object/],
  'a word for a flag': ['{"enabled": "false"}', /enabled is true or false/],
  'an unknown key': ['{"enable": false}', /enable is not an option, did you mean "enabled"/],
  __proto__: ['{"__proto__": {"enabled": false}}', /__proto__/],
  'a host that can match none': ['{"propagateTo": ["http://x/"]}', /propagateTo/],
  'a metadata service': ['{"propagateTo": ["169.254.169.254"]}', /propagateTo/],
  'what the resolver refuses': ['{"enabled": false, "panicThreshold": 2}', /test: panicThreshold is at most 1/],
}

t.test('a bad document changes nothing, is told once, and the last good one stays', async t => {
  const updates: object[] = []
  const resolver = {
    update(settings: { panicThreshold?: number }) {
      if ((settings.panicThreshold ?? 0) > 1) {
        throw Object.assign(new Error('refused'), { problem: 'is at most 1', path: ['panicThreshold'] })
      }
      updates.push(settings)
    },
  }
  const control = createControl({ source: 'test', resolver })
  settle(t, control)
  control.replace('{"propagateTo": ["good.example"], "panicThreshold": 0.5}')
  const scope = createEgressScope('test')
  for (const [name, [document, problem]] of Object.entries(BAD)) {
    t.equal(control.replace(document), false, name)
    t.match(control.state().problem, problem, name)
    t.equal(control.replace(document), false)
    t.match(control.state(), { enabled: true, settings: { propagateTo: ['good.example'], panicThreshold: 0.5 } }, name)
    t.ok(scope.includes('good.example') && !isLeftAlone(), name)
  }
  t.equal(updates.length, 1)
  t.equal(control.replace('{"propagateTo": ["good.example"], "panicThreshold": 0.5}'), true)
  t.equal(control.state().problem, undefined)
})

t.test('propagateTo stands in for the list of each adapter, and gives it back', async t => {
  const control = createControl()
  settle(t, control)
  const scope = createEgressScope('test', { propagateTo: ['own.example'] })
  const seen = () => ['own.example', 'new.example', 'a.svc'].map(host => scope.includes(host))
  t.strictSame(seen(), [true, false, true])
  control.replace('{"propagateTo": ["new.example"]}')
  t.strictSame(seen(), [false, true, true])
  control.replace('{"propagateTo": []}')
  t.strictSame(seen(), [false, false, true])
  control.replace('{}')
  t.strictSame(seen(), [true, false, true])
})

t.test('a file is followed, however it is replaced; one that goes leaves what was active', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'laneway-control-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'control.json')
  const control = createControl({ file, intervalMs: 100 })
  settle(t, control)
  t.match(control.state(), { enabled: true, problem: undefined, source: file }, 'no file yet')
  const write = (text: string) => {
    writeFileSync(`${file}.new`, text)
    renameSync(`${file}.new`, file)
  }
  write('{"enabled": false}')
  await eventually(() => !control.state().enabled)
  write('{"enabled": ')
  await eventually(() => control.state().problem !== undefined)
  t.equal(control.state().enabled, false)
  rmSync(file)
  await eventually(() => control.state().problem?.includes('ENOENT') === true)
  t.equal(control.state().enabled, false)
  write('{"enabled": true}')
  await eventually(() => control.state().enabled)
  t.equal(control.state().problem, undefined)
})

t.test('while Laneway is off, a lane by its name is no lane, and a request that has one keeps it', async t => {
  t.teardown(() => switchLaneway(true))
  const ingress = createIngress('test', { trust: 'internal' })
  const request = { headers: { 'x-mse-tag': 'gray' } }
  runInLane('gray', () => {
    switchLaneway(false)
    t.equal(isLeftAlone(), false)
    t.equal(currentLane()?.header, 'gray')
    t.equal(
      runInLane('blue', () => currentLane()?.header),
      'blue',
    )
  })
  t.equal(
    runInLane('blue', () => currentLane()?.header),
    undefined,
  )
  t.equal(ingress(request).lane, undefined)
  switchLaneway(true)
  t.equal(ingress(request).lane, undefined, 'decided once')
  t.equal(ingress({ headers: { 'x-mse-tag': 'gray' } }).lane?.header, 'gray')
})

t.test('under LANEWAY_DISABLE=all a control does nothing', async t => {
  process.env['LANEWAY_DISABLE'] = 'signals, all'
  t.teardown(() => {
    delete process.env['LANEWAY_DISABLE']
  })
  const control = createControl({ file: 'not/there.json' })
  t.equal(control.replace('{"enabled": true}'), false)
  t.match(control.state(), { enabled: false, since: undefined })
})

t.test('wrong options are refused', async t => {
  const refused = (options: object) => t.throws(() => createControl(options), { code: 'LANEWAY_INVALID_OPTION' })
  for (const options of [{ file: '' }, { intervalMs: 99 }, { resolver: {} }, { path: 'x' }]) refused(options)
})
