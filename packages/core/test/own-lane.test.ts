import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type OwnLaneOptions, ownLane } from '@laneway/core'
import { POD_LABEL } from '@laneway/core/internal'
import t, { type Test } from 'tap'

/** Everything given, nothing of the machine that runs the test. */
function sources(t: Test, files: { labels?: string; annotations?: string } = {}) {
  const folder = t.testdir(files)
  const warnings: string[] = []
  const options: OwnLaneOptions = {
    env: {},
    labelsFile: join(folder, 'labels'),
    annotationsFile: join(folder, 'annotations'),
    warn: message => warnings.push(message),
  }
  return { options, warnings, folder }
}

t.test('without any setting an instance is base', async t => {
  const { options, warnings } = sources(t)
  t.equal(ownLane(options), undefined)
  t.strictSame(warnings, [])
})

t.test('the order is: option, LANEWAY_TAG, MSE_ALICLOUD_SERVICE_TAG, labels, annotations', async t => {
  const { options } = sources(t, {
    labels: 'app="sc-a"\nalicloud.service.tag="labels"\npod-template-hash="7"\n',
    annotations: 'a="1"\nalicloud.service.tag="annotations"\n',
  })
  const env: Record<string, string> = { LANEWAY_TAG: 'laneway', MSE_ALICLOUD_SERVICE_TAG: 'mse' }
  const all = { ...options, env }
  t.equal(ownLane({ ...all, tag: 'option' })?.header, 'option')
  t.equal(ownLane(all)?.header, 'laneway')
  delete env['LANEWAY_TAG']
  t.equal(ownLane(all)?.header, 'mse')
  delete env['MSE_ALICLOUD_SERVICE_TAG']
  t.equal(ownLane(all)?.header, 'labels')
  t.equal(ownLane({ ...all, labelsFile: join(t.testdirName, 'none') })?.header, 'annotations')
  t.equal(ownLane({ ...all, labelsFile: t.testdirName, annotationsFile: t.testdirName }), undefined, 'folders')
})

t.test('unset, empty and blank are skipped: a pod without the label yields ""', async t => {
  const { options } = sources(t, { labels: 'alicloud.service.tag=""\n', annotations: 'alicloud.service.tag="gray"' })
  for (const blank of ['', ' ', '\t\n', undefined]) {
    const env = { LANEWAY_TAG: blank, MSE_ALICLOUD_SERVICE_TAG: blank }
    t.equal(ownLane({ ...options, env, tag: blank })?.header, 'gray')
  }
})

t.test('white space around a value is not part of it', async t => {
  const { options, warnings } = sources(t)
  t.equal(ownLane({ ...options, tag: 'gray', env: { LANEWAY_TAG: ' gray\n' } })?.header, 'gray')
  t.strictSame(warnings, [])
})

t.test('base is base', async t => {
  const { options, warnings } = sources(t)
  t.equal(ownLane({ ...options, env: { LANEWAY_TAG: 'base' } }), undefined)
  t.equal(ownLane({ ...options, tag: 'base', env: { LANEWAY_TAG: 'gray' } }), undefined)
  t.match(warnings, [/"base".*"gray"/])
})

t.test('a value outside the grammar stops the start, naming source and value, wherever it stands', async t => {
  const { options, folder } = sources(t)
  const labels = (text: string) => writeFileSync(join(folder, 'labels'), text)
  const rows: readonly (readonly [Partial<OwnLaneOptions>, string, RegExp])[] = [
    [{ tag: 'a b' }, '', /the option "tag".*"a b"/],
    [{ env: { LANEWAY_TAG: '-gray' } }, '', /LANEWAY_TAG.*"-gray"/],
    [{ env: { LANEWAY_TAG: 'a,b' } }, '', /LANEWAY_TAG.*"a,b"/],
    [{ env: { MSE_ALICLOUD_SERVICE_TAG: '__proto__' } }, '', /MSE_ALICLOUD_SERVICE_TAG.*"__proto__"/],
    [{ env: { LANEWAY_TAG: 'gray', MSE_ALICLOUD_SERVICE_TAG: 'a/b' } }, '', /MSE_ALICLOUD_SERVICE_TAG.*"a\/b"/],
    [{ tag: 'gray' }, 'alicloud.service.tag="-"', /labels.*"-"/],
  ]
  for (const [given, text, message] of rows) {
    labels(text)
    t.throws(() => ownLane({ ...options, ...given }), { code: 'LANEWAY_INVALID_TAG', message })
  }
})

t.test('when two sources disagree the first wins, with one warning', async t => {
  const { options, warnings } = sources(t, { labels: 'alicloud.service.tag="blue"' })
  const env = { LANEWAY_TAG: 'gray', MSE_ALICLOUD_SERVICE_TAG: 'green' }
  t.equal(ownLane({ ...options, env })?.header, 'gray')
  t.equal(warnings.length, 1)
  t.match(warnings[0], /LANEWAY_TAG.*"gray".*MSE_ALICLOUD_SERVICE_TAG.*"green"/)
})

t.test('the warning is a process warning, once, however many adapters ask', async t => {
  const { options } = sources(t)
  const { warn, ...silent } = options
  const heard: Error[] = []
  const listener = (warning: Error) => heard.push(warning)
  process.on('warning', listener)
  t.teardown(() => process.off('warning', listener))
  for (let times = 0; times < 3; times++) ownLane({ ...silent, tag: 'gray', env: { LANEWAY_TAG: 'blue' } })
  await new Promise(setImmediate)
  t.strictSame(
    heard.map(warning => warning.name),
    ['LanewayWarning'],
  )
})

t.test('values are Go-quoted, as the downward API writes them', async t => {
  const { options, folder } = sources(t)
  for (const [text, lane] of [
    ['alicloud.service.tag="gray"', 'gray'],
    ['alicloud.service.tag="gray"\r\n', 'gray'],
    ['alicloud.service.tag="gr\\u0061y"', 'gray'],
    ['alicloud.service.tag=gray', 'gray'],
    ['note="a\\nalicloud.service.tag=\\"evil\\""\nalicloud.service.tag="gray"\n', 'gray'],
    ['alicloud.service.tags="gray"', undefined],
    ['x-alicloud.service.tag="gray"', undefined],
    ['', undefined],
  ] as const) {
    writeFileSync(join(folder, 'labels'), text)
    t.equal(ownLane(options)?.header, lane, text)
  }
  t.equal(POD_LABEL, 'alicloud.service.tag')
})

t.test('by default the environment of the process is read', async t => {
  process.env['LANEWAY_TAG'] = 'from-environment'
  t.teardown(() => delete process.env['LANEWAY_TAG'])
  t.equal(ownLane()?.header, 'from-environment')
})

t.test('unknown options are refused', async t => {
  t.throws(() => ownLane({ tags: 'gray' } as never), { code: 'LANEWAY_INVALID_OPTION', message: /did you mean "tag"/ })
})
