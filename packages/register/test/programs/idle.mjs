// A program that ends by itself, once somebody has had time to look at it.
console.log('serving on 1')
setTimeout(() => {}, 300)
