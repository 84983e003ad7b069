export { type ExpressLane, type ExpressLaneOptions, expressLane } from './express-lane.js'
