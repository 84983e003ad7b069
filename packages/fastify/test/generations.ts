import fastify from 'fastify'
import fastify4 from 'fastify4'

/** The same tests for both. */
export const generations: readonly { name: string; fastify: typeof fastify }[] = [
  { name: 'Fastify 5', fastify },
  { name: 'Fastify 4', fastify: fastify4 as unknown as typeof fastify },
]
