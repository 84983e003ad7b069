// The console over a real API server with Rollouts, and a real Prometheus with running services.
import { gateReader, kruiseReader, prometheusReader, startConsole } from '@laneway/console'
import { createLaneResolver } from '@laneway/discovery'
import { createKubernetesSource } from '@laneway/kubernetes'
import t from 'tap'
import { Kube } from '../../kubernetes/kube.js'
import { Release } from '../../kubernetes/release.js'
import { Shop } from '../../kubernetes/shop.js'
// @ts-expect-error a script without types
import { findPrometheus, startPrometheus } from '../../servers/prometheus/start.mjs'
import { assertAccessible, goTo, openPage, picture, until, untilText } from '../browser.mjs'

t.test('a real API server and a real Prometheus', { skip: findPrometheus() ?? false }, async t => {
  const kube = await Kube.start(t)
  const prometheus = await startPrometheus()
  t.teardown(() => prometheus.stop())
  const shop = await Shop.start(t, prometheus.targets, 20)
  let visiting = true
  const visits = (async () => {
    while (visiting) {
      await shop.visit(10).catch(() => {})
      // Enough for the gate, and the browser has a turn.
      await new Promise(resolve => setTimeout(resolve, 150))
    }
  })()
  t.teardown(async () => {
    visiting = false
    await visits
  })
  await Release.start(t, kube, ['a', 'c'])
  for (const [name, ip, tag] of [
    ['one', '10.1.2.3', ''],
    ['two', '10.1.2.4', 'gray'],
  ] as const) {
    const { metadata } = await kube.pod(name, tag === '' ? {} : { 'alicloud.service.tag': tag })
    await kube.report(name, ip, true)
    await kube.call(
      'POST',
      kube.slices(),
      kube.slice(`orders-${name}`, 'orders', [{ address: ip, uid: metadata.uid, pod: name }]),
    )
  }
  const { kubeconfig, namespace } = kube
  const source = createKubernetesSource({ kubeconfig, namespace })
  const resolver = createLaneResolver({ sources: [source] })
  t.teardown(() => resolver.close())
  const running = await startConsole({
    sources: [source],
    resolver,
    flows: prometheusReader({ url: prometheus.url, windowSeconds: 10 }),
    releases: kruiseReader({ kubeconfig, namespace }),
    gate: gateReader({
      hops: 'sc-A=rollout-a,sc-B,sc-C=rollout-c',
      lane: 'gray',
      prometheus: prometheus.url,
      minRequests: 50,
      windowSeconds: 30,
    }),
  })
  t.teardown(() => running.close())
  const { page, problems } = await openPage(t)
  await goTo(page, running.url, 'matrix', 'tbody .cell')
  await page.waitForSelector('[aria-label^="orders, gray: 1/1"]', { timeout: 30_000 })
  await kube.report('two', '10.1.2.4', false)
  await goTo(page, running.url, 'matrix?service=orders', '.instances li')
  await assertAccessible(t, page, 'Kubernetes')
  await picture(page, 'kubernetes-matrix')
  await goTo(page, running.url, 'map?lane=gray&beside=base', '.canvas')
  // A straight line has no height, so it is not visible in the browser's sense.
  await until(page, "document.querySelector('.canvas .served path')")
  await until(page, "document.querySelector('.canvas .back path')")
  await picture(page, 'kubernetes-map')
  await goTo(page, running.url, 'release', '.judged li')
  // Errors of sc-C fail requests of sc-B, so its verdict may come before the one of sc-C.
  await untilText(page, '.judged', /sc-C.*errors [\d.]+ % against/s)
  await untilText(page, '.cards', /rollout-a.*waits for approval.*rollout-c/s)
  await until(page, "(document.querySelectorAll('.plot path.line')[3]?.getAttribute('d') ?? '').split('L').length > 5")
  await assertAccessible(t, page, 'a release')
  await picture(page, 'kubernetes-release')
  t.strictSame(problems, [])
})
