/* Draws temperature curves with ECharts from what the server sends, words included. Rooms above,
   outdoors below them, the meter at the bottom: one time axis, one pointer through all. */
"use strict";
(() => {
  const RENEW = 60000;
  const ink = "#43514e";
  const line = "#d6deda";
  const font = getComputedStyle(document.body).fontFamily;
  const colours = { members: "#17508f", peers: "#c07a22", outdoor: "#5d6a67", ahead: "#6a4c9c", threshold: "#b03a0a", supply: "#b03a0a", return: "#17508f", flow: "#2f6b4f", shade: "#2f6db1" };
  const singles = ["#0b2c58", "#2f6db1", "#6a4c9c", "#2f7f86", "#8c6d1f", "#5b7f2b"];

  /* ECharts has no band: an invisible lower line carries a stacked difference. */
  function band(name, points, colour) {
    if (!points) return [];
    const low = points.low;
    const difference = points.high.map(([at, high], i) => [at, high === null ? null : high - low[i][1]]);
    const plain = { type: "line", symbol: "none", silent: true, tooltip: { show: false }, lineStyle: { width: 0 }, stack: `band-${colour}`, stackStrategy: "all" };
    return [
      { ...plain, name: `${name} low`, data: low },
      { ...plain, name: `${name} high`, data: difference, areaStyle: { color: colour, opacity: 0.17 } },
      { type: "line", name, symbol: "none", data: points.median, lineStyle: { width: 2.4, color: colour }, itemStyle: { color: colour } },
    ];
  }

  function rooms(drawn) {
    const { words } = drawn;
    const series = [...band(drawn.peersName, drawn.peers, colours.peers)];
    series.push(...band(drawn.membersName, drawn.members, colours.members));
    series.push(...band(drawn.aheadName, drawn.ahead, colours.ahead));
    drawn.lines.forEach((single, i) => {
      const colour = single.bold ? colours.members : singles[i % singles.length];
      series.push({ type: "line", name: single.name, symbol: "none", data: single.data, lineStyle: { width: single.bold ? 2.6 : 1.6, color: colour, type: drawn.members ? "dotted" : "solid" }, itemStyle: { color: colour } });
    });
    series.push({
      type: "line", name: words.threshold, data: [], symbol: "none", itemStyle: { color: colours.threshold }, lineStyle: { color: colours.threshold, type: "dashed", width: 1.5 },
      markLine: {
        silent: true, symbol: "none", animation: false,
        data: [
          { yAxis: drawn.threshold, lineStyle: { color: colours.threshold, type: "dashed", width: 1.5 }, label: { formatter: `${drawn.threshold}°`, position: "end", color: colours.threshold, fontWeight: 600, distance: 6 } },
          ...drawn.marks.map((mark, i) => ({ xAxis: mark.at, lineStyle: { color: ink, type: "solid", width: 1, opacity: 0.55 }, label: { formatter: mark.name, position: "end", color: ink, fontSize: 11, distance: [0, 4 + 13 * (i % 3)], align: mark.at - drawn.start < 0.15 * (drawn.stop - drawn.start) ? "left" : "right" } })),
        ],
      },
      markArea: { silent: true, itemStyle: { color: colours.shade, opacity: 0.08 }, data: drawn.shades.map(([from, to]) => [{ xAxis: from }, { xAxis: to }]) },
    });
    return series;
  }

  function outdoor(drawn, axis) {
    return { type: "line", name: drawn.words.outdoor, symbol: "none", data: drawn.outdoor, xAxisIndex: axis, yAxisIndex: axis, lineStyle: { width: 1.6, color: colours.outdoor }, itemStyle: { color: colours.outdoor }, areaStyle: { color: colours.outdoor, opacity: 0.08, origin: "end" } };
  }

  function meter(drawn, axis) {
    if (!drawn.meter) return [];
    const { words } = drawn;
    const one = (name, data, colour, y, extra) => ({ type: "line", name, symbol: "none", data, xAxisIndex: axis, yAxisIndex: y, lineStyle: { width: 1.8, color: colour, ...extra }, itemStyle: { color: colour } });
    return [
      one(words.supply, drawn.meter.supply, colours.supply, axis, {}),
      one(words.return, drawn.meter.return, colours.return, axis, {}),
      one(words.flow, drawn.meter.flow, colours.flow, axis + 1, { type: "dashed" }),
    ];
  }

  /* Grids from the top: rooms take what the others leave. */
  function layout(drawn, height) {
    const strips = [["outdoor", 62]];
    if (drawn.meter) strips.push(["meter", 96]);
    const gap = 34;
    const top = 66;
    const below = strips.reduce((sum, [, size]) => sum + size + gap, 0) + 26;
    const grids = [{ left: 46, right: 52, top, height: height - top - below }];
    let y = grids[0].top + grids[0].height + gap;
    for (const [, size] of strips) {
      grids.push({ left: 46, right: 52, top: y, height: size });
      y += size + gap;
    }
    return grids;
  }

  /* Even steps around everything drawn and the standard: 1, 2 or 5 K a line. */
  function span(drawn) {
    const series = [drawn.members?.low, drawn.members?.high, drawn.peers?.low, drawn.peers?.high, drawn.ahead?.low, drawn.ahead?.high, ...drawn.lines.map((one) => one.data)];
    const values = series.flatMap((points) => points || []).map(([, value]) => value).filter((value) => value !== null);
    const low = values.reduce((a, b) => Math.min(a, b), drawn.threshold) - 0.4;
    const high = values.reduce((a, b) => Math.max(a, b), drawn.threshold) + 0.4;
    const interval = [1, 2, 5].find((step) => (high - low) / step <= 7) || 10;
    return { interval, min: interval * Math.floor(low / interval), max: interval * Math.ceil(high / interval) };
  }

  function axes(drawn, grids) {
    const { words } = drawn;
    const last = grids.length - 1;
    const name = (text) => ({ name: text, nameTextStyle: { align: "left", color: ink, fontWeight: 600, padding: [0, 0, 0, -38] }, nameGap: 8 });
    const value = (grid, text, extra = {}) => ({ type: "value", gridIndex: grid, scale: true, splitLine: { lineStyle: { color: "#e9eeeb" } }, axisLabel: { color: ink }, splitNumber: grid ? 2 : 5, ...name(text), ...extra });
    const x = grids.map((_, grid) => ({ type: "time", gridIndex: grid, min: drawn.start, max: drawn.stop, axisLine: { lineStyle: { color: line } }, axisTick: { show: grid === last }, axisLabel: { show: grid === last, color: ink, hideOverlap: true }, splitLine: { show: true, lineStyle: { color: "#f1f4f2" } }, axisPointer: { label: { show: false } } }));
    const y = [value(0, words.room, { ...span(drawn) }), value(1, words.outdoor)];
    if (drawn.meter) {
      y.push(value(2, `${drawn.meter.name}: ${words.both}`));
      y.push(value(2, words.flow, { position: "right", min: 0, splitLine: { show: false }, nameTextStyle: { align: "right", color: colours.flow, padding: [0, -44, 0, 0] }, axisLabel: { color: colours.flow } }));
    }
    return { x, y };
  }

  /* The axis begins where anything was measured, not where nothing was asked for yet. */
  function fit(drawn) {
    const series = [drawn.outdoor, drawn.members?.median, drawn.peers?.median, drawn.ahead?.median, ...drawn.lines.map((one) => one.data)];
    const first = Math.min(...series.filter((points) => points?.length).map((points) => points[0][0]));
    return { ...drawn, start: Number.isFinite(first) ? Math.max(drawn.start, first) : drawn.start };
  }

  function option(raw, height) {
    const drawn = fit(raw);
    const grids = layout(drawn, height);
    const { x, y } = axes(drawn, grids);
    const series = [...rooms(drawn), outdoor(drawn, 1), ...meter(drawn, 2)];
    const shown = series.filter((s) => !/ (low|high)$/.test(s.name) && !s.xAxisIndex && s.name !== drawn.words.threshold).map((s) => s.name);
    return {
      useUTC: true,
      animation: false,
      textStyle: { fontFamily: font },
      grid: grids,
      xAxis: x,
      yAxis: y,
      series,
      legend: { top: 0, left: 0, itemWidth: 20, itemHeight: 3, icon: "roundRect", textStyle: { color: ink }, data: [...new Set(shown)], type: "scroll", width: "94%" },
      axisPointer: { link: [{ xAxisIndex: "all" }], lineStyle: { color: "#93a09c" } },
      tooltip: {
        trigger: "axis", confine: true, borderColor: line, textStyle: { color: "#16211f", fontSize: 12.5 },
        valueFormatter: (v) => (v === null || v === undefined ? "–" : Number(v).toFixed(1)),
      },
    };
  }

  function draw(box) {
    const chart = echarts.init(box, null, { renderer: "canvas" });
    let known = "";
    async function renew() {
      if (document.hidden) return;
      const answer = await fetch(box.dataset.chart, { headers: { Accept: "application/json" } }).catch(() => null);
      if (!answer?.ok) return;
      const text = await answer.text();
      if (text === known) return;
      known = text;
      const drawn = JSON.parse(text);
      chart.resize();
      const empty = !drawn.lines.length && !drawn.members && !drawn.peers;
      if (empty) box.textContent = drawn.words.nothing;
      else chart.setOption(option(drawn, box.clientHeight), { notMerge: true });
      box.dataset.drawn = "yes";
    }
    renew();
    setInterval(renew, RENEW);
    addEventListener("resize", () => {
      chart.resize();
      if (known) chart.setOption(option(JSON.parse(known), box.clientHeight), { notMerge: true });
    });
  }

  if (window.echarts) document.querySelectorAll("[data-chart]").forEach(draw);
})();
