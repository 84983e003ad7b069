import { knexForms, openKnex } from '../../shapes/knex.mjs'
import { bothWays } from '../../shapes/query.mjs'

export default bothWays({
  library: 'knex',
  use: 'queries of mysql2',
  needs: ['mariadb'],
  open: kit => openKnex(kit, 'mysql2', kit.resources.mariadb.url),
  forms: knexForms,
})
