/**
 * The grammar of the reasoning text: problems, each with a key that says what is asked and a text that works it out.
 * @module
 */

/** One worked problem. */
export interface Problem {
  /** What is asked, in a canonical form: two problems with equal keys are the same one. */
  readonly key: string;
  readonly text: string;
}

/** Draws a whole number of at least 0 and less than `below`. */
export type Draw = (below: number) => number;

const PEOPLE = ["Ada", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gus", "Hana", "Ivo", "June"];
const KINDS = ["rook", "lark", "fox", "mole", "elm", "fern", "clam", "newt", "moth", "pike"];
const TRAITS = ["tall", "quick", "calm", "red", "old", "loud", "shy", "bold", "warm", "thin"];
const THINGS = ["apples", "coins", "books", "nails", "cups", "stamps"];
const UNKNOWNS = ["x", "y", "n", "k"];

/** Column addition with its carries. */
function addition(draw: Draw): Problem {
  const [small, large] = [12 + draw(988), 12 + draw(988)].sort((a, b) => a - b);
  const [a, b] = draw(2) === 0 ? [small, large] : [large, small];
  const ones = a % 10 + b % 10;
  const rest = Math.floor(a / 10) + Math.floor(b / 10);
  const steps = [
    `Ones: ${a % 10} + ${b % 10} = ${ones}.`,
    `Tens: ${Math.floor(a / 10)} + ${Math.floor(b / 10)} = ${rest}.`,
    `${rest} * 10 + ${ones} = ${a + b}.`,
  ];
  return {
    key: `addition ${small} ${large}`,
    text: `Add ${a} and ${b}. ${steps.join(" ")} Answer: ${a + b}.`,
  };
}

/** Product by splitting the second factor in tens and ones. */
function multiplication(draw: Draw): Problem {
  const [a, b] = [3 + draw(90), 11 + draw(88)];
  const [tens, ones] = [Math.floor(b / 10) * 10, b % 10];
  return {
    key: `multiplication ${Math.min(a, b)} ${Math.max(a, b)}`,
    text: `Multiply ${a} by ${b}. ${b} = ${tens} + ${ones}. ${a} * ${tens} = ${a * tens}. ` +
      `${a} * ${ones} = ${a * ones}. ${a * tens} + ${a * ones} = ${a * b}. Answer: ${a * b}.`,
  };
}

/** A story of gains and losses. */
function story(draw: Draw): Problem {
  const who = PEOPLE[draw(PEOPLE.length)];
  const what = THINGS[draw(THINGS.length)];
  const [start, more] = [20 + draw(60), 5 + draw(40)];
  const less = 1 + draw(start + more - 1);
  const [middle, end] = [start + more, start + more - less];
  return {
    key: `story ${start} ${more} ${less}`,
    text: `${who} has ${start} ${what}, gets ${more} more and gives away ${less}. ` +
      `After getting: ${start} + ${more} = ${middle}. After giving: ${middle} - ${less} = ${end}. ` +
      `Answer: ${who} has ${end} ${what}.`,
  };
}

/** A linear equation a x + b = c with a whole solution, and its check. */
function equation(draw: Draw): Problem {
  const x = UNKNOWNS[draw(UNKNOWNS.length)];
  const [a, b, solution] = [2 + draw(11), 1 + draw(60), 1 + draw(30)];
  const c = a * solution + b;
  return {
    key: `equation ${a} ${b} ${c}`,
    text: `Solve ${a}${x} + ${b} = ${c}. Subtract ${b}: ${a}${x} = ${c - b}. ` +
      `Divide by ${a}: ${x} = ${solution}. Check: ${a} * ${solution} + ${b} = ${c}. ` +
      `Answer: ${x} = ${solution}.`,
  };
}

/** A chain of rules from a kind to a trait, followed or refuted. */
function inference(draw: Draw): Problem {
  const pick = (list: readonly string[], taken: readonly string[]) => {
    const free = list.filter((item) => !taken.includes(item));
    return free[draw(free.length)];
  };
  const who = PEOPLE[draw(PEOPLE.length)];
  const kind = KINDS[draw(KINDS.length)];
  const first = pick(TRAITS, []);
  const second = pick(TRAITS, [first]);
  const third = pick(TRAITS, [first, second]);
  const denied = draw(2) === 0;
  const rules = `Every ${kind} is ${first}. All that is ${first} is ${second}. ` +
    `Nothing that is ${second} is ${third}.`;
  const steps =
    `${who} is a ${kind}, so ${who} is ${first}. ${who} is ${first}, so ${who} is ${second}.`;
  return {
    key: `inference ${who} ${kind} ${first} ${second} ${third}`,
    text: denied
      ? `${rules} ${who} is a ${kind}. Is ${who} ${third}? ${steps} ${who} is ${second}, so ${who} is not ${third}. Answer: no.`
      : `${rules} ${who} is a ${kind}. Is ${who} ${second}? ${steps} Answer: yes.`,
  };
}

/** The productions of the grammar, drawn with equal probability. */
const PRODUCTIONS = [addition, multiplication, story, equation, inference] as const;

/** Draws one problem. */
export function drawProblem(draw: Draw): Problem {
  return PRODUCTIONS[draw(PRODUCTIONS.length)](draw);
}
