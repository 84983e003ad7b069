// The manifests of the walkthrough against each other and against what reads them, without any program.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { tagsOfMetadata } from '@laneway/discovery'
import { laneMetadata } from '@laneway/nacos'
import { compileRules } from '@laneway/rules'
import t from 'tap'
import { parseAllDocuments } from 'yaml'
import { documentsOf, FOLDERS, PROFILES } from './walkthrough/manifests.js'

const DOCKER = 'examples/end-to-end-canary/docker'
const CLUSTER_WIDE = ['Namespace', 'IngressClass', 'MseIngressConfig']

function kindsOf(folder: string) {
  const all = documentsOf(folder).map(({ object }) => object)
  const ofKind = (kind: string) => all.filter(object => object.kind === kind)
  const named = (kind: string, name: string) => ofKind(kind).find(object => object.metadata.name === name)
  return { all, ofKind, named }
}

for (const profile of PROFILES) {
  const { all, ofKind, named } = kindsOf(profile)

  t.test(`${profile}: nothing is there twice, and everything is in a namespace that exists`, async t => {
    const names = all.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`)
    t.strictSame([...new Set(names)].sort(), names.sort())
    const [namespace] = ofKind('Namespace')
    for (const { kind, metadata } of all) {
      if (CLUSTER_WIDE.includes(kind)) continue
      // The controller's ConfigMap is where the controller is.
      const expected = metadata.name === 'kruise-rollout-configuration' ? 'kruise-rollout' : namespace.metadata.name
      t.equal(metadata.namespace, expected, `${kind} ${metadata.name}`)
    }
  })

  t.test(`${profile}: the namespace is applied first`, async t => {
    t.equal(documentsOf(profile)[0]?.object.kind, 'Namespace')
  })

  t.test(`${profile}: Deployments select their pods, and never by a label of the lane`, async t => {
    const patched = labelsOf(ofKind('Rollout')[0])
    for (const { metadata, spec } of ofKind('Deployment')) {
      const { labels } = spec.template.metadata
      t.match(labels, spec.selector.matchLabels, metadata.name)
      for (const label of Object.keys(patched)) {
        t.notOk(label in spec.selector.matchLabels, `${metadata.name} does not select by ${label}`)
        t.notOk(label in labels, `${metadata.name} is base`)
      }
      const [{ name }] = spec.template.spec.containers
      t.equal(name, metadata.name, 'kubectl set image names the container as the Deployment')
    }
  })

  t.test(`${profile}: Services select pods of one Deployment, by ports that these have`, async t => {
    for (const { metadata, spec } of ofKind('Service')) {
      const matching = ofKind('Deployment').filter(({ spec: { template } }) =>
        Object.entries(spec.selector).every(([key, value]) => template.metadata.labels[key] === value),
      )
      t.equal(matching.length, 1, metadata.name)
      const ports = matching[0].spec.template.spec.containers.flatMap((one: any) => one.ports ?? [])
      for (const { targetPort } of spec.ports) t.ok(ports.some((port: any) => port.name === targetPort))
    }
  })

  t.test(`${profile}: probes ask ports that are there, and an end leaves time`, async t => {
    for (const { metadata, spec } of ofKind('Deployment')) {
      const pod = spec.template.spec
      for (const container of pod.containers) {
        for (const probe of [container.startupProbe, container.readinessProbe, container.livenessProbe]) {
          const port = probe?.httpGet?.port ?? probe?.tcpSocket?.port
          if (port !== undefined)
            t.ok(
              container.ports.some((one: any) => one.name === port),
              `${metadata.name} ${port}`,
            )
        }
        const seconds = Number(container.lifecycle?.preStop?.exec.command[1] ?? 0)
        const delay = Number(envValue(container, 'LEAVE_DELAY_MS') ?? 0) / 1000
        t.ok(seconds + delay + 30 < (pod.terminationGracePeriodSeconds ?? 99), `${metadata.name} has 30 s to drain`)
        for (const { name } of container.volumeMounts ?? []) t.ok(pod.volumes.some((one: any) => one.name === name))
      }
    }
    for (const name of ['spring-cloud-a', 'spring-cloud-b', 'spring-cloud-c']) {
      const [container] = named('Deployment', name).spec.template.spec.containers
      t.ok(container.readinessProbe, name)
      t.equal(container.lifecycle.preStop.exec.command[0], 'sleep', name)
    }
  })

  t.test(`${profile}: what a pod names is there: accounts, Secrets, ConfigMaps, the registry`, async t => {
    for (const { metadata, spec } of ofKind('Deployment')) {
      const pod = spec.template.spec
      if (pod.serviceAccountName) t.ok(named('ServiceAccount', pod.serviceAccountName), metadata.name)
      for (const { configMap } of pod.volumes ?? []) if (configMap) t.ok(named('ConfigMap', configMap.name))
      for (const container of pod.containers) {
        for (const { valueFrom } of container.env ?? []) {
          const secret = valueFrom?.secretKeyRef
          if (secret) t.type(named('Secret', secret.name).stringData[secret.key], 'string', secret.key)
        }
        const [host, port] = envValue(container, 'NACOS')?.split(':') ?? []
        if (host) t.ok(hasPort(named('Service', host), Number(port)))
      }
    }
    const { ports } = named('Service', 'nacos-server').spec
    t.equal(ports[1].port - ports[0].port, 1000, 'gRPC is 1000 above')
    const url = new URL(named('Secret', 'demo-mysql').stringData.MYSQL_URL)
    t.ok(hasPort(named('Service', url.hostname), Number(url.port)))
    const [{ env }] = named('Deployment', 'demo-mysql').spec.template.spec.containers
    t.strictSame([url.username, url.pathname.slice(1)], [env[1].value, env[0].value])
    t.equal(url.password, named('Secret', 'demo-mysql').stringData.MYSQL_PASSWORD)
  })

  t.test(`${profile}: rights are bound to accounts that exist`, async t => {
    for (const { metadata, roleRef, subjects } of ofKind('RoleBinding')) {
      t.ok(named('Role', roleRef.name), metadata.name)
      for (const { name } of subjects) {
        t.ok(named('ServiceAccount', name), `${metadata.name}: ${name}`)
        t.not(name, 'default', 'every pod without an account has that one')
      }
    }
  })

  t.test(`${profile}: the rights of discovery and gate are those that the packages publish`, async t => {
    const rulesOf = (file: string) =>
      parseAllDocuments(readFileSync(`packages/${file}`, 'utf8'))
        .map(document => document.toJS())
        .flatMap(({ rules = [] }) => rules)
    t.strictSame(named('Role', 'laneway-discovery').rules, rulesOf('kubernetes/rbac/pods.yaml'))
    const gate = [...rulesOf('gate/rbac/gate.yaml'), ...rulesOf('gate/rbac/rollback.yaml')]
    t.strictSame(named('Role', 'laneway-gate').rules, gate)
  })

  t.test(`${profile}: every Rollout releases a Deployment, in the lane that discovery reads`, async t => {
    const rollouts = ofKind('Rollout')
    t.strictSame(
      rollouts.map(({ spec }) => spec.workloadRef.name),
      ['spring-cloud-a', 'spring-cloud-b', 'spring-cloud-c'],
    )
    for (const rollout of rollouts) {
      const { canary } = rollout.spec.strategy
      const deployment = named('Deployment', rollout.spec.workloadRef.name)
      t.equal(deployment.metadata.labels['rollouts.kruise.io/workload-type'], 'deployment')
      t.equal(canary.enableExtraWorkloadForCanary, true, 'else no label is patched')
      t.notOk('trafficRoutingRef' in canary, 'the controller does not read it')
      t.notOk('trafficRoutings' in canary, 'the TrafficRouting writes the route, not the Rollout')
      t.strictSame(tagsOfMetadata(labelsOf(rollout)), ['gray'])
      const { 'opensergo.io/canary-gray': canaryKey, 'alicloud.service.tag': tag } = laneMetadata('gray')
      t.match(labelsOf(rollout), { 'opensergo.io/canary-gray': canaryKey, 'alicloud.service.tag': tag })
      const env = deployment.spec.template.spec.containers[0].env
      const { valueFrom } = env.find((one: any) => one.name === 'LANEWAY_TAG')
      t.equal(valueFrom.fieldRef.fieldPath, "metadata.labels['alicloud.service.tag']")
      t.ok('alicloud.service.tag' in labelsOf(rollout), 'the label that the pod reads is the one that is patched')
      t.strictSame(
        canary.steps.map(({ replicas, pause }: any) => [replicas, pause]),
        [
          [1, {}],
          ['50%', {}],
          ['100%', undefined],
        ],
      )
    }
  })

  t.test(`${profile}: the TrafficRouting that the Rollouts name colours one user, then half`, async t => {
    const names = ofKind('Rollout').map(({ metadata }) => metadata.annotations['rollouts.kruise.io/trafficrouting'])
    t.equal(new Set(names).size, 1)
    const routing = named('TrafficRouting', names[0])
    const [{ service, ingress, customNetworkRefs, gateway }] = routing.spec.objectRef
    t.ok(named('Service', service))
    t.equal(gateway, undefined, 'under a TrafficRouting that provider empties the route')
    if (ingress)
      t.ok(Object.keys(named('Ingress', ingress.name).metadata.annotations).length > 0, 'the script fails on none')
    for (const { kind, name, apiVersion } of customNetworkRefs ?? []) {
      t.equal(named(kind, name).apiVersion, apiVersion)
      const script = `lua.traffic.routing.${kind}.${apiVersion.split('/')[0]}`
      t.type(named('ConfigMap', 'kruise-rollout-configuration').data[script], 'string')
    }
    t.equal(routing.spec.strategy.requestHeaderModifier.set.length, 1, 'mse joins several without a separator')
    const laneOf = (agent: string) => compileRules(routing).laneOf({ headers: { 'user-agent': agent } })?.header
    t.strictSame(['xiaoming', 'xiaoming/1.0', 'curl'].map(laneOf), ['gray', undefined, undefined])

    const half = kindsOf(`${profile}/half-of-requests`).all
    t.equal(half.length, 1)
    t.strictSame(half[0].metadata, routing.metadata, 'the same object')
    t.strictSame(half[0].spec.objectRef, routing.spec.objectRef)
    t.equal(half[0].spec.strategy.weight, 50)
    const shared = compileRules(half[0], { weightKey: [{ header: 'x-user-id' }] })
    const users = Array.from({ length: 2000 }, (_, index) => `user-${index}`)
    const gray = users.filter(user => shared.laneOf({ headers: { 'x-user-id': user } })?.header === 'gray')
    t.ok(Math.abs(gray.length - 1000) < 100, `${gray.length} of 2000`)
  })

  t.test(`${profile}: the entrance leads to a Service and a port of it`, async t => {
    for (const { spec, metadata } of ofKind('Ingress')) {
      const { controller, parameters } = named('IngressClass', spec.ingressClassName).spec
      t.equal(controller, 'mse.alibabacloud.com/ingress')
      const gateway = named(parameters.kind, parameters.name)
      t.equal(gateway.apiVersion, `${parameters.apiGroup}/v1alpha1`)
      const { ingressClass, watchNamespace } = gateway.spec.ingress.local
      t.strictSame([ingressClass, watchNamespace], [spec.ingressClassName, metadata.namespace], 'the gateway sees it')
      const { name, port } = spec.rules[0].http.paths[0].backend.service
      t.ok(hasPort(named('Service', name), port.number), name)
      const [{ service }] = ofKind('TrafficRouting')[0].spec.objectRef
      t.equal(service, name)
    }
    for (const { spec } of ofKind('HTTPRoute')) {
      for (const { name, port } of spec.rules[0].backendRefs) {
        t.ok(hasPort(named('Service', name), port), name)
        const [{ service }] = ofKind('TrafficRouting')[0].spec.objectRef
        t.equal(service, name, 'the script looks for this name')
      }
      for (const { name } of spec.parentRefs ?? []) t.ok(named('Gateway', name))
      t.strictSame(spec.rules[0].filters[0].requestHeaderModifier, { remove: ['x-mse-tag'] }, 'no tag of a client')
    }
    t.equal(ofKind('Ingress').length + ofKind('HTTPRoute').length, 1)
  })
}

t.test('one batch: the same Rollouts with one step that pauses', async t => {
  for (const profile of PROFILES) {
    const three = kindsOf(profile).ofKind('Rollout')
    const one = kindsOf(`${profile}/one-batch`).all
    t.equal(one.length, 3)
    for (const [index, rollout] of one.entries()) {
      t.strictSame(rollout.spec.strategy.canary.steps, [{ replicas: 1, pause: {} }])
      rollout.spec.strategy.canary.steps = three[index].spec.strategy.canary.steps
      t.strictSame(rollout, three[index])
    }
  }
})

t.test('no manifest holds a lane name that another one does not', async t => {
  for (const folder of FOLDERS) {
    for (const { file, object } of documentsOf(folder)) {
      if (object.kind === 'Rollout') t.strictSame(tagsOfMetadata(labelsOf(object)), ['gray'], file)
      if (object.kind !== 'TrafficRouting') continue
      t.strictSame(object.spec.strategy.requestHeaderModifier.set, [{ name: 'x-mse-tag', value: 'gray' }], file)
    }
  }
})

t.test('the rights that packages publish are bound to accounts of their own', async t => {
  const folders = ['packages/gate/rbac', 'packages/kubernetes/rbac']
  for (const folder of folders) {
    const objects = readdirSync(folder).flatMap(file =>
      parseAllDocuments(readFileSync(join(folder, file), 'utf8')).map(document => document.toJS()),
    )
    const accounts = new Set(
      objects.filter(({ kind }) => kind === 'ServiceAccount').map(({ metadata }) => metadata.name),
    )
    for (const { kind, metadata, subjects } of objects) {
      if (kind !== 'RoleBinding') continue
      for (const { name } of subjects) {
        t.ok(accounts.has(name), `${folder}: ${metadata.name} is bound to ${name}, which the folder creates`)
        t.not(name, 'default')
      }
    }
  }
})

t.test('images: built in stages, not run as root, with the program that the manifests start', async t => {
  const { named } = kindsOf('laneway-gateway')
  for (const [folder, name] of [
    ['service-a', 'spring-cloud-a'],
    ['service-b', 'spring-cloud-b'],
    ['service-c', 'spring-cloud-c'],
    ['gateway', 'laneway-gateway'],
  ] as const) {
    const text = readFileSync(join(DOCKER, folder, 'Dockerfile'), 'utf8')
    t.strictSame(text.match(/^FROM .*$/gm), ['FROM node:24-slim AS build', 'FROM node:24-slim'], folder)
    const last = text.slice(text.lastIndexOf('FROM '))
    t.match(last, /^USER node$/m)
    const pod = named('Deployment', name).spec.template.spec
    t.equal(pod.securityContext.runAsUser, 1000, 'the user node of the image')
    const exposed = /^EXPOSE (.*)$/m.exec(last)?.[1]?.split(' ').map(Number)
    t.strictSame(
      exposed,
      pod.containers[0].ports.map((port: any) => port.containerPort),
      `${folder} listens where the manifests say`,
    )
    for (const [, file = ''] of last.matchAll(/COPY --from=build \/laneway\/(examples\S+)/g))
      t.ok(existsSync(file), file)
    const [, program = 'none'] = /^CMD \["node", "(.*)"\]$/m.exec(last) ?? []
    if (folder !== 'gateway') t.ok(existsSync(join('examples/end-to-end-canary', program)), program)
  }
  t.strictSame(readdirSync(DOCKER).sort(), ['gateway', 'service-a', 'service-b', 'service-c'])
})

function labelsOf(rollout: any): Record<string, string> {
  return rollout.spec.strategy.canary.patchPodTemplateMetadata.labels
}

function envValue(container: any, name: string): string | undefined {
  return container.env?.find((one: any) => one.name === name)?.value
}

function hasPort(service: any, port: number): boolean {
  return service.spec.ports.some((one: any) => one.port === port)
}
