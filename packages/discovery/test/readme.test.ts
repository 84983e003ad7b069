import { readmeExample } from '@laneway/testkit'
import t from 'tap'

t.test('the first example of the README runs as it stands', async t => {
  const { code, stdout, stderr } = await readmeExample('packages/discovery')
  t.equal(stderr, '')
  t.equal(code, 0)
  t.strictSame(stdout.split('\n'), [
    "undefined -> base [ '10.0.0.1:8080' ]",
    "gray -> lane [ '10.0.0.2:8080' ]",
    "blue -> fallback-missing [ '10.0.0.1:8080' ]",
    '',
  ])
})

t.test('the example of health answers a probe', async t => {
  const { code, stdout, stderr } = await readmeExample('packages/discovery', 1)
  t.equal(stderr, '')
  t.equal(code, 0)
  t.equal(
    stdout,
    '200 {"status":"ok","ready":true,"sources":[{"source":"static","connected":true}],"services":' +
      '[{"service":"sc-B","declared":true,"state":"current","source":"static","ageMs":0,"endpoints":1,"usable":1,"lanes":["gray"]}],"warnings":[]}\n',
  )
})

t.test('the example of a balancer of your own runs as it stands', async t => {
  const { code, stdout, stderr } = await readmeExample('packages/discovery', 2)
  t.equal(stderr, '')
  t.equal(code, 0)
  t.equal(stdout, 'true true\n')
})

t.test('the example of zones shows their shares', async t => {
  const { code, stdout, stderr } = await readmeExample('packages/discovery', 3)
  t.equal(stderr, '')
  t.equal(code, 0)
  t.equal(stdout, 'the request has no lane; 8 of 8 instances are usable; 62.5 % to zone c, 37.5 % to zone a\n')
})
