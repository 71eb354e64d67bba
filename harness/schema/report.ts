/** The schema of a benchmark's report: sentences, tables and charts, independent of any renderer. */
import { z } from "zod";

export const tableSchema = z.strictObject({
  title: z.string().meta({ description: "Caption" }),
  columns: z.array(z.strictObject({
    name: z.string().meta({ description: "Column heading with unit" }),
    align: z.enum(["left", "right"]).default("left").meta({ description: "Alignment" }),
  })).meta({ description: "Columns" }),
  rows: z.array(z.array(z.union([z.string(), z.number(), z.null()]))).meta({
    description: "Cells, row by row; null is shown as a dash",
  }),
  note: z.string().default("").meta({ description: "Line under the table" }),
}).meta({ description: "A table" });

const axis = z.strictObject({
  label: z.string().meta({ description: "Label with unit" }),
  scale: z.enum(["linear", "log", "category"]).default("linear").meta({ description: "Scale" }),
});

export const chartSchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9-]*$/).meta({
    description: "File name of the chart, without extension; unique in the report",
  }),
  title: z.string().meta({ description: "Title" }),
  mark: z.enum(["line", "dot", "bar", "heatmap"]).meta({ description: "Kind of chart" }),
  x: axis.meta({ description: "Horizontal axis" }),
  y: axis.meta({ description: "Vertical axis" }),
  series: z.array(z.strictObject({
    name: z.string().meta({ description: "Name in the legend" }),
    points: z.array(z.strictObject({
      x: z.union([z.number(), z.string()]).meta({ description: "Horizontal value" }),
      y: z.union([z.number(), z.string()]).meta({ description: "Vertical value" }),
      low: z.number().nullable().default(null).meta({ description: "Lower end of the interval" }),
      high: z.number().nullable().default(null).meta({ description: "Upper end of the interval" }),
      value: z.number().nullable().default(null).meta({ description: "Colour value (heatmap)" }),
    })).meta({ description: "Points" }),
  })).meta({ description: "Series" }),
  references: z.array(z.strictObject({
    axis: z.enum(["x", "y"]).meta({ description: "Axis on which the value lies" }),
    value: z.number().meta({ description: "Value" }),
    label: z.string().meta({ description: "Label" }),
  })).default([]).meta({ description: "Reference lines, e.g. a published figure" }),
  note: z.string().default("").meta({ description: "Line under the chart" }),
}).meta({ description: "A chart" });

export const sectionSchema = z.strictObject({
  heading: z.string().meta({ description: "Heading" }),
  paragraphs: z.array(z.string()).default([]).meta({ description: "Text, Markdown" }),
  tables: z.array(tableSchema).default([]).meta({ description: "Tables" }),
  charts: z.array(chartSchema).default([]).meta({ description: "Charts" }),
}).meta({ description: "A section of the report" });

export const reportSchema = z.strictObject({
  headline: z.array(z.string()).meta({ description: "The finding, one to three sentences" }),
  sections: z.array(sectionSchema).meta({ description: "Sections in order" }),
}).meta({ description: "The benchmark's own part of the report; recomputable from the cells" });

export type ReportTable = z.infer<typeof tableSchema>;
export type ReportChart = z.infer<typeof chartSchema>;
export type ReportSection = z.infer<typeof sectionSchema>;
export type Report = z.infer<typeof reportSchema>;
/** A report as a benchmark writes it: keys with a default may be left out. */
export type ReportInput = z.input<typeof reportSchema>;
