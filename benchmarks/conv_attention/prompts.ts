/**
 * Fixed prompts for sampled text. They are long because a model with a horizon h needs h tokens before it can say anything: it predicts
 * the token h places after each of them.
 */
export const PROMPTS: readonly string[] = [
  "Solve 6y + 11 = 47. Subtract 11: 6y = 36. Divide by 6: y = 6. Check: 6 * 6 + 11 = 47. Answer: y = 6.\n" +
  "Add 318 and 264. Ones: 8 + 4 = 12. Tens: 31 + 26 = 57. 57 * 10 + 12 = 582. Answer: 582.\n" +
  "Solve 3x + 8 = 29. Subtract 8: ",
  "Every newt is calm. All that is calm is shy. Nothing that is shy is loud. Ivo is a newt. Is Ivo shy? " +
  "Ivo is a newt, so Ivo is calm. Ivo is calm, so Ivo is shy. Answer: yes.\n" +
  "Every fox is red. All that is red is old. Nothing that is old is thin. Ada is a fox. Is Ada thin? ",
  "Gus has 34 books, gets 12 more and gives away 9. After getting: 34 + 12 = 46. After giving: 46 - 9 = 37. " +
  "Answer: Gus has 37 books.\nJune has 52 coins, gets 17 more and gives away 30. After getting: ",
];
