import t from 'tap'
import { startFarService } from './far-service.js'
import { ask, program, startApp } from './start-app.js'

t.test("an application's own req.lane stays its own, and its requests keep their lane", async t => {
  const far = await startFarService(t)
  const app = await startApp(t, program('own-lane-property.mjs'), { environment: far.environment })
  t.equal(await ask(`${app.url}/getter`, 'gray'), 'untouched,of the road,gray[gray]')
  t.equal(await ask(`${app.url}/`, 'gray'), 'untouched,bus lane,gray[gray]')
  t.equal(await ask(`${app.url}/`), 'untouched,bus lane,base[]')
})
