// Stands for uPlot where the page is served from its sources; `make www` puts the library here.
export default null;
