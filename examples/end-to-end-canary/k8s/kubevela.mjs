// Writes kubevela/application.yaml: the manifests of laneway-gateway/ as one Application of KubeVela.
//
//   node k8s/kubevela.mjs            writes it
//   node k8s/kubevela.mjs --check    changes nothing, fails when the file differs
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseAllDocuments, stringify } from 'yaml'

const folder = fileURLToPath(new URL('./', import.meta.url))
const file = `${folder}kubevela/application.yaml`
const HEAD = '# Generated from ../laneway-gateway by `node k8s/kubevela.mjs`.\n'

/** What has to be there before what. */
const NEEDS = {
  'service-a': ['nacos', 'rbac'],
  'service-b': ['nacos', 'rbac', 'mysql'],
  'service-c': ['nacos', 'rbac'],
  'laneway-gateway': ['nacos', 'rbac'],
  'rollout-a': ['service-a'],
  'rollout-b': ['service-b'],
  'rollout-c': ['service-c'],
  'traffic-routing': ['http-route', 'kruise-configuration'],
}

/** The Application as text. */
export function application() {
  const names = readdirSync(`${folder}laneway-gateway`).filter(name => name.endsWith('.yaml'))
  const components = names.flatMap(name => {
    // The namespace has to be there before the Application, which lives in it.
    const objects = parseAllDocuments(readFileSync(`${folder}laneway-gateway/${name}`, 'utf8'))
      .map(document => document.toJS())
      .filter(object => object.kind !== 'Namespace')
    const component = name.replace(/\.yaml$/, '')
    const needs = NEEDS[component]
    if (objects.length === 0) return []
    return [{ name: component, type: 'k8s-objects', ...(needs && { dependsOn: needs }), properties: { objects } }]
  })
  const all = {
    apiVersion: 'core.oam.dev/v1beta1',
    kind: 'Application',
    metadata: { name: 'laneway-demo', namespace: 'laneway-demo' },
    spec: {
      components,
      // Without it KubeVela would take back what OpenKruise Rollouts changes: paused Deployments, routes of the lane.
      policies: [{ name: 'leave-to-rollouts', type: 'apply-once', properties: { enable: true } }],
    },
  }
  return HEAD + stringify(all, { lineWidth: 0, aliasDuplicateObjects: false })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = application()
  if (!process.argv.includes('--check')) writeFileSync(file, text)
  else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
    console.error('kubevela/application.yaml is not as laneway-gateway/: run node k8s/kubevela.mjs')
    process.exitCode = 1
  }
}
