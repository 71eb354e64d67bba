/**
 * Loads an exported folder with `@huggingface/transformers` and prints what it generates, as JSON. Run as a child: the package needs
 * its native runtime, for which tests have no permission. Leaves with exit code 3 where the package cannot be loaded.
 *
 * Arguments: parent folder, name of the model's folder, prompt, tokens to generate.
 * @module
 */
const [parent, name, prompt, tokens] = Deno.args;
// The part of the package that is used here.
interface Library {
  env: Record<string, unknown>;
  AutoTokenizer: { from_pretrained(name: string): Promise<TokenizerOfLibrary> };
  AutoModelForCausalLM: {
    from_pretrained(name: string, options: object): Promise<{
      generate(options: object): Promise<{ tolist(): bigint[][] }>;
      dispose(): Promise<unknown>;
    }>;
  };
}
interface TokenizerOfLibrary {
  (text: string): object;
  encode(text: string): number[];
  decode(ids: number[]): string;
}

let library: Library;
try {
  // Put together so that nothing but this test downloads it.
  library = await import(["npm:@huggingface", "transformers@4.3.1"].join("/"));
} catch (error) {
  console.error(error);
  Deno.exit(3);
}
const { env, AutoTokenizer, AutoModelForCausalLM } = library;
env.allowRemoteModels = false;
env.useFSCache = false;
env.useBrowserCache = false;
env.localModelPath = parent;
const tokenizer = await AutoTokenizer.from_pretrained(name);
const model = await AutoModelForCausalLM.from_pretrained(name, { dtype: "fp32", device: "cpu" });
const output = await model.generate({
  ...tokenizer(prompt),
  max_new_tokens: Number(tokens),
  do_sample: false,
});
const ids = output.tolist()[0].map(Number);
await model.dispose();
console.log(JSON.stringify({ prompt: tokenizer.encode(prompt), ids, text: tokenizer.decode(ids) }));
