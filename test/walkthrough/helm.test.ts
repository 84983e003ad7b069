import { spawnSync } from 'node:child_process'
import t from 'tap'
// @ts-expect-error a script without types
import { differences, findHelm, render } from '../../examples/end-to-end-canary/k8s/generate.mjs'
// @ts-expect-error a script without types
import { installHelm } from '../servers/kubernetes/install.mjs'
import { K8S, PROFILES } from './manifests.js'

const problem: string | undefined = findHelm() === undefined ? installHelm() : undefined
const skip = problem ?? false
const helm: string = findHelm() ?? ''

function template(...set: string[]): { status: number | null; stdout: string; stderr: string } {
  const flags = set.flatMap(one => ['--set', one])
  const args = ['template', 'demo', `${K8S}/chart`, '--namespace', 'shop', '--kube-version', '1.34.0', ...flags]
  return spawnSync(helm, args, { encoding: 'utf8' })
}

t.test('the plain YAML is what the chart renders', { skip }, async t => {
  const rendered = render(helm)
  t.ok(rendered.size > 40)
  t.strictSame([...differences(rendered)], [])
})

t.test('the chart passes its own lint', { skip }, async t => {
  const { status, stdout } = spawnSync(helm, ['lint', '--strict', '--kube-version', '1.34.0', `${K8S}/chart`], {
    encoding: 'utf8',
  })
  t.equal(status, 0, stdout)
})

for (const profile of PROFILES) {
  t.test(`${profile}: other namespaces, lanes and discovery`, { skip }, async t => {
    const blue = template(`profile=${profile}`, 'tag=blue', 'discovery=kubernetes', 'services.a.replicas=4')
    t.equal(blue.status, 0, blue.stderr)
    t.match(blue.stdout, 'opensergo.io/canary-blue: blue')
    t.match(blue.stdout, /name: sc-b\n/, 'a Service by the name that callers use')
    t.notMatch(blue.stdout, /namespace: laneway-demo$/m, 'nothing names the namespace of the plain YAML')
    t.notMatch(blue.stdout, /^[^#]*[:/-] ?gray$/m)
    t.notMatch(blue.stdout, 'kind: Namespace', 'a release of Helm does not own its namespace')
  })
}

t.test('mse-ingress: without a gateway of its own where the class is there', { skip }, async t => {
  for (const kind of ['MseIngressConfig', 'IngressClass']) {
    t.match(template('profile=mse-ingress').stdout, new RegExp(`^kind: ${kind}$`, 'm'))
  }
  const { status, stdout } = template('profile=mse-ingress', 'ingress.className=mse', 'ingress.createGateway=false')
  t.equal(status, 0)
  t.notMatch(stdout, /MseIngressConfig|kind: IngressClass/)
  t.match(stdout, /ingressClassName: mse$/m)
})

t.test('values that mean nothing are refused', { skip }, async t => {
  for (const wrong of [
    'profile=nginx',
    'tag=base',
    'tag=Gray',
    'services.a.prot=1',
    'traffic.weight=101',
    'batches=two',
    'ingress.spec=1c1g',
  ]) {
    const { status, stderr } = template(wrong)
    t.not(status, 0, wrong)
    t.match(stderr, "don't meet the specifications of the schema", wrong)
  }
  t.match(template('traffic.matches=null').stderr, 'traffic.weight is needed')
})
