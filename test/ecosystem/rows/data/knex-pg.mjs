import { knexForms, openKnex } from '../../shapes/knex.mjs'
import { bothWays } from '../../shapes/query.mjs'

export default bothWays({
  library: 'knex',
  use: 'queries of pg',
  needs: ['postgresql'],
  open: kit => openKnex(kit, 'pg', kit.resources.postgresql.url),
  forms: knexForms,
})
