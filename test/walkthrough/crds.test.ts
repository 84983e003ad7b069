import t from 'tap'
// @ts-expect-error a script without types
import { findCrds } from '../servers/kubernetes/crds.mjs'
import { compileCrds } from './crd-schema.js'
import { documentsOf, FOLDERS, objectOf } from './manifests.js'

const { files = [], problem }: { files?: string[]; problem?: string } = findCrds()
const skip = problem ?? false
const schemas = compileCrds(files)
const OWNED = /^(rollouts\.kruise\.io|gateway\.networking\.k8s\.io|mse\.alibabacloud\.com)\//

function problemsOf(object: any): unknown {
  const validate = schemas.get(`${object.apiVersion}/${object.kind}`)
  if (validate === undefined) return `no schema of ${object.apiVersion}/${object.kind}`
  return validate(object) ? [] : validate.errors?.map(({ instancePath, message }) => `${instancePath} ${message}`)
}

for (const folder of FOLDERS) {
  t.test(`${folder}: custom resources are valid, unknown fields forbidden`, { skip }, async t => {
    const custom = documentsOf(folder).filter(({ object }) => OWNED.test(object.apiVersion))
    t.ok(custom.length > 0)
    for (const { file, object } of custom) t.strictSame(problemsOf(object), [], `${file}: ${object.kind}`)
  })
}

t.test('the schemas do refuse: a field that is not there, a type, a missing name', { skip }, async t => {
  const rollout = objectOf('mse-ingress', 'Rollout', 'rollout-a')
  const [step] = rollout.spec.strategy.canary.steps
  step.pauses = {}
  t.match(problemsOf(rollout), ['/spec/strategy/canary/steps/0 must NOT have additional properties'])
  delete step.pauses
  rollout.spec.strategy.canary.enableExtraWorkloadForCanary = 'yes'
  t.match(problemsOf(rollout), ['/spec/strategy/canary/enableExtraWorkloadForCanary must be boolean'])
  const routing = objectOf('mse-ingress', 'TrafficRouting', 'mse-traffic')
  delete routing.spec.strategy.matches[0].headers[0].name
  t.match(problemsOf(routing), [/headers\/0 must have required property 'name'/])
})
