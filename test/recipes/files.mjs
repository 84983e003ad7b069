// The files of recipes against what reads them. Each resolves with a reason where it cannot be looked at, and throws where it is wrong.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Ajv from 'ajv'
import { parse, parseAllDocuments } from 'yaml'
import { findHelm } from '../../examples/end-to-end-canary/k8s/generate.mjs'
import { findCrds } from '../servers/kubernetes/crds.mjs'

/** Where the schema of Compose files is published; nothing of it is kept here. */
const COMPOSE = 'github.com/compose-spec/compose-go/v2@v2.4.7'

/** The Compose file against the schema of the Compose specification. */
export async function composeProblems(compose) {
  const { status, stdout } = spawnSync('go', ['mod', 'download', '-json', COMPOSE], { encoding: 'utf8', cwd: '/' })
  if (status !== 0) return 'Go cannot load the module with the schema of Compose files'
  // An old draft of JSON schema wrote `id`, which Ajv refuses, and nothing here depends on it.
  const withoutIds = (key, value) => (key === 'id' && typeof value === 'string' ? undefined : value)
  const text = readFileSync(join(JSON.parse(stdout).Dir, 'schema/compose-spec.json'), 'utf8')
  const schema = JSON.parse(text, withoutIds)
  const validate = new Ajv.default({ strict: false, validateFormats: false, validateSchema: false }).compile({
    ...schema,
    $schema: undefined,
  })
  assertValid(validate, compose)
  if (validate({ services: { web: { imagee: 'a' } } })) throw new Error('the schema of Compose refuses nothing')
}

/** The chart by helm itself, for base and two lanes. */
export async function helmProblems(folder) {
  const helm = findHelm()
  if (helm === undefined) return 'no helm: install it, or name it by HELM'
  const values = ['--values', `${folder}/values/orders.yaml`]
  const render = (...more) => {
    const args = ['template', 'orders', `${folder}/chart`, ...values, ...more]
    const { status, stdout, stderr } = spawnSync(helm, args, { encoding: 'utf8' })
    return { status, stderr, objects: status === 0 ? parseAllDocuments(stdout).map(one => one.toJS()) : [] }
  }
  const lint = spawnSync(helm, ['lint', '--strict', `${folder}/chart`, ...values], { encoding: 'utf8' })
  if (lint.status !== 0) throw new Error(lint.stdout + lint.stderr)
  const base = render()
  const [service, deployment] = base.objects
  const labels = deployment.spec.template.metadata.labels
  const selected = Object.entries(service.spec.selector).every(([key, value]) => labels[key] === value)
  if (!selected) throw new Error('the Service does not select the pods of base')
  const lanes = [
    ['gray', ['--values', `${folder}/values/orders-gray.yaml`]],
    ['pr-123', ['--set', 'lane=pr-123,replicas=1']],
  ]
  for (const [lane, more] of lanes) {
    const { objects, stderr } = render(...more)
    if (objects.map(({ kind }) => kind).join() !== 'Deployment') throw new Error(`${lane}: ${stderr}`)
    const { metadata, spec } = objects[0]
    const tag = spec.template.spec.containers[0].env.find(({ name }) => name === 'LANEWAY_TAG').value
    if (metadata.name !== `orders-${lane}` || tag !== lane)
      throw new Error(`${lane}: ${metadata.name} has the tag ${tag}`)
    if (spec.template.metadata.labels.lane === service.spec.selector.lane)
      throw new Error(`the Service selects ${lane}`)
  }
  for (const wrong of ['lane=base', 'lane=a_b', 'service=', 'imagee=a']) {
    if (render('--set', wrong).status === 0) throw new Error(`the chart takes ${wrong}`)
  }
}

/** The workflow by GitHub's own parser, and whether it does what its README says. */
export async function workflowProblems(file) {
  const { parseWorkflow, NoOperationTraceWriter } = await import('@actions/workflow-parser')
  const content = readFileSync(file, 'utf8')
  const errorsOf = text =>
    parseWorkflow({ name: 'lane.yml', content: text }, new NoOperationTraceWriter()).context.errors.getErrors()
  const found = errorsOf(content)
  if (found.length > 0) throw new Error(found.map(({ message }) => message).join('\n'))
  if (errorsOf(content.replace('runs-on:', 'run-on:')).length === 0) throw new Error('the parser refuses nothing')
  const { on, env, jobs, concurrency } = parse(content)
  const [open, close] = [jobs.open, jobs.close].map(({ steps }) => steps.map(({ run }) => run ?? '').join('\n'))
  if (!on.pull_request.types.includes('closed')) throw new Error('nothing removes the lane')
  if (!/^pr-\$\{\{ github\.event\.number \}\}$/.test(env.LANE)) throw new Error(`the lane is ${env.LANE}`)
  if (concurrency['cancel-in-progress']) throw new Error('a lane that is being opened could stay behind')
  for (const [text, wanted] of [
    [open, /helm upgrade --install "orders-\$LANE" chart [\s\S]*lane=\$LANE/],
    [close, /helm uninstall "orders-\$LANE"/],
  ])
    if (!wanted.test(text)) throw new Error(`${wanted} is missing in\n${text}`)
}

/** The Application against KubeVela's schema where LANEWAY_CRDS has it, else against one of our own, after its documentation. */
export async function applicationProblems(file) {
  const { compileCrds } = await import('../walkthrough/crd-schema.ts')
  const own = fileURLToPath(new URL('./kubevela-application.yaml', import.meta.url))
  const { files = [] } = findCrds()
  // The last file of a kind counts.
  const schemas = compileCrds([own, ...files.filter(name => existsSync(name))])
  const application = parse(readFileSync(file, 'utf8'))
  const validate = schemas.get('core.oam.dev/v1beta1/Application')
  assertValid(validate, application)
  const names = new Set(application.spec.components.map(({ name }) => name))
  for (const { name, dependsOn = [], properties } of application.spec.components) {
    for (const needed of dependsOn)
      if (!names.has(needed)) throw new Error(`${name} depends on ${needed}, which is not there`)
    // What has a schema is valid inside of the Application, too.
    for (const object of properties.objects) {
      const inner = schemas.get(`${object.apiVersion}/${object.kind}`)
      if (inner !== undefined) assertValid(inner, object)
    }
  }
  if (validate({ ...application, spec: { componentss: [] } })) throw new Error('the schema refuses nothing')
}

function assertValid(validate, object) {
  if (!validate(object)) throw new Error(validate.errors.map(one => `${one.instancePath} ${one.message}`).join('\n'))
}
