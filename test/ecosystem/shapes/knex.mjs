/** A pool of two connections. */
export async function openKnex({ require }, client, connection) {
  const knex = require('knex')({ client, connection, pool: { min: 2, max: 2 } })
  await Promise.all([knex.raw('SELECT 1'), knex.raw('SELECT 1')])
  return { connections: knex, close: () => knex.destroy() }
}

const select = (knex, number) => knex.select(knex.raw('? AS value', [String(number)]))

export const knexForms = {
  callback(knex, number, done) {
    select(knex, number).asCallback(done)
  },
  async promise(knex, number) {
    const [row] = await select(knex, number)
    return row.value
  },
  transaction: (knex, number) => knex.transaction(async one => (await select(one, number))[0].value),
}
