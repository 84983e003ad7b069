export { default, type FastifyLaneOptions, fastifyLane } from './fastify-lane.js'
