BEGIN TRANSACTION;
CREATE TABLE benchmark_index (
	index_code TEXT NOT NULL, 
	nav_date INTEGER NOT NULL, 
	close REAL NOT NULL, 
	PRIMARY KEY (index_code, nav_date), 
	CONSTRAINT ck_benchmark_index_index_code_0 CHECK ("index_code" IN ('000300', '000012', 'SPX')), 
	CONSTRAINT ck_benchmark_index_nav_date_0 CHECK ("nav_date" BETWEEN 19900101 AND 21001231), 
	CONSTRAINT ck_benchmark_index_close_0 CHECK ("close" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_benchmark_index_close_1 CHECK ("close" > 0)
)
 WITHOUT ROWID,
 STRICT

;
CREATE TABLE calendar_override (
	day INTEGER NOT NULL, 
	is_open INTEGER NOT NULL, 
	note TEXT NOT NULL, 
	PRIMARY KEY (day), 
	CONSTRAINT ck_calendar_override_day_0 CHECK ("day" BETWEEN 19900101 AND 21001231), 
	CONSTRAINT ck_calendar_override_is_open_0 CHECK ("is_open" >= 0), 
	CONSTRAINT ck_calendar_override_is_open_1 CHECK ("is_open" <= 1), 
	CONSTRAINT ck_calendar_override_note_0 CHECK (length("note") <= 200)
)
 WITHOUT ROWID,
 STRICT

;
CREATE TABLE collection_batch (
	batch_id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	source TEXT NOT NULL, 
	newest_date INTEGER NOT NULL, 
	previous_date INTEGER, 
	collected_at INTEGER NOT NULL, 
	rows_read INTEGER NOT NULL, 
	payloads TEXT NOT NULL, 
	state TEXT NOT NULL, 
	held_because TEXT NOT NULL, 
	PRIMARY KEY (batch_id), 
	CONSTRAINT ck_collection_batch_batch_id_0 CHECK (length("batch_id") <= 40), 
	CONSTRAINT ck_collection_batch_kind_0 CHECK ("kind" IN ('wave', 'history', 'events')), 
	CONSTRAINT ck_collection_batch_source_0 CHECK (length("source") <= 200), 
	CONSTRAINT ck_collection_batch_newest_date_0 CHECK ("newest_date" BETWEEN 19900101 AND 21001231), 
	CONSTRAINT ck_collection_batch_previous_date_0 CHECK ("previous_date" BETWEEN 19900101 AND 21001231), 
	CONSTRAINT ck_collection_batch_rows_read_0 CHECK ("rows_read" >= 0), 
	CONSTRAINT ck_collection_batch_payloads_0 CHECK (length("payloads") <= 1000000), 
	CONSTRAINT ck_collection_batch_state_0 CHECK ("state" IN ('landed', 'held', 'published')), 
	CONSTRAINT ck_collection_batch_held_because_0 CHECK (length("held_because") <= 2000)
)
 WITHOUT ROWID,
 STRICT

;
INSERT INTO "collection_batch" VALUES('w1','wave','simulated',20260917,20260916,20260917190000,2,'[]','published','');
INSERT INTO "collection_batch" VALUES('w2','wave','simulated',20260918,20260917,20260918190000,1,'[]','held','R03: half a market');
CREATE TABLE fund_events (
	fund_code TEXT NOT NULL, 
	ex_date INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	value REAL NOT NULL, 
	status TEXT NOT NULL, 
	history_value REAL, 
	list_value REAL, 
	text TEXT NOT NULL, 
	evidence TEXT NOT NULL, 
	first_batch_id TEXT NOT NULL, 
	batch_id TEXT NOT NULL, 
	PRIMARY KEY (fund_code, ex_date, kind), 
	CONSTRAINT ck_fund_events_fund_code_0 CHECK (length("fund_code") = 6 AND "fund_code" NOT GLOB '*[^0-9]*'), 
	CONSTRAINT ck_fund_events_ex_date_0 CHECK ("ex_date" BETWEEN 19900101 AND 21001231), 
	CONSTRAINT ck_fund_events_kind_0 CHECK ("kind" IN ('dividend', 'split')), 
	CONSTRAINT ck_fund_events_value_0 CHECK ("value" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_fund_events_value_1 CHECK ("value" > 0), 
	CONSTRAINT ck_fund_events_value_2 CHECK ("value" < 1000000.0), 
	CONSTRAINT ck_fund_events_status_0 CHECK ("status" IN ('recorded', 'inferred')), 
	CONSTRAINT ck_fund_events_history_value_0 CHECK ("history_value" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_fund_events_history_value_1 CHECK ("history_value" > 0), 
	CONSTRAINT ck_fund_events_history_value_2 CHECK ("history_value" < 1000000.0), 
	CONSTRAINT ck_fund_events_list_value_0 CHECK ("list_value" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_fund_events_list_value_1 CHECK ("list_value" > 0), 
	CONSTRAINT ck_fund_events_list_value_2 CHECK ("list_value" < 1000000.0), 
	CONSTRAINT ck_fund_events_text_0 CHECK (length("text") <= 200), 
	CONSTRAINT ck_fund_events_evidence_0 CHECK (length("evidence") <= 400), 
	CONSTRAINT ck_fund_events_first_batch_id_0 CHECK (length("first_batch_id") <= 40), 
	CONSTRAINT ck_fund_events_batch_id_0 CHECK (length("batch_id") <= 40)
)
 WITHOUT ROWID,
 STRICT

;
CREATE TABLE fund_info (
	fund_code TEXT NOT NULL, 
	name TEXT NOT NULL, 
	fund_type TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	family TEXT NOT NULL, 
	pinyin TEXT NOT NULL, 
	status TEXT NOT NULL, 
	first_seen_on INTEGER NOT NULL, 
	last_seen_on INTEGER NOT NULL, 
	history_on INTEGER, 
	PRIMARY KEY (fund_code), 
	CONSTRAINT ck_fund_info_fund_code_0 CHECK (length("fund_code") = 6 AND "fund_code" NOT GLOB '*[^0-9]*'), 
	CONSTRAINT ck_fund_info_name_0 CHECK (length("name") <= 200), 
	CONSTRAINT ck_fund_info_fund_type_0 CHECK (length("fund_type") <= 200), 
	CONSTRAINT ck_fund_info_kind_0 CHECK ("kind" IN ('equity', 'mixed', 'bond', 'index', 'qdii', 'fof', 'money', 'commodity', 'reit', 'other')), 
	CONSTRAINT ck_fund_info_family_0 CHECK (length("family") <= 200), 
	CONSTRAINT ck_fund_info_pinyin_0 CHECK (length("pinyin") <= 200), 
	CONSTRAINT ck_fund_info_status_0 CHECK ("status" IN ('listed', 'delisted')), 
	CONSTRAINT ck_fund_info_first_seen_on_0 CHECK ("first_seen_on" BETWEEN 19900101 AND 21001231), 
	CONSTRAINT ck_fund_info_last_seen_on_0 CHECK ("last_seen_on" BETWEEN 19900101 AND 21001231), 
	CONSTRAINT ck_fund_info_history_on_0 CHECK ("history_on" BETWEEN 19900101 AND 21001231)
)
 WITHOUT ROWID,
 STRICT

;
INSERT INTO "fund_info" VALUES('000001','华夏成长','混合型-灵活','mixed','华夏成长','HXCZ','listed',20260917,20260918,NULL);
INSERT INTO "fund_info" VALUES('000002','旧基金','','other','旧基金','','delisted',20200101,20210101,20200101);
CREATE TABLE fund_metrics (
	fund_code TEXT NOT NULL, 
	calc_date INTEGER NOT NULL, 
	window TEXT NOT NULL, 
	status TEXT NOT NULL, 
	coverage REAL, 
	start_date INTEGER, 
	end_date INTEGER NOT NULL, 
	observations INTEGER NOT NULL, 
	periods_per_year REAL, 
	total_return REAL, 
	annualized_return REAL, 
	annualized_volatility REAL, 
	downside_deviation REAL, 
	sharpe_ratio REAL, 
	sortino_ratio REAL, 
	calmar_ratio REAL, 
	omega_ratio REAL, 
	max_drawdown REAL, 
	max_drawdown_peak INTEGER, 
	max_drawdown_trough INTEGER, 
	max_drawdown_recovery INTEGER, 
	max_drawdown_days INTEGER, 
	current_drawdown REAL, 
	var_95 REAL, 
	cvar_95 REAL, 
	skewness REAL, 
	kurtosis REAL, 
	best_day REAL, 
	worst_day REAL, 
	month_win_rate REAL, 
	ulcer_index REAL, 
	benchmark_code TEXT, 
	alpha REAL, 
	beta REAL, 
	r_squared REAL, 
	correlation REAL, 
	tracking_error REAL, 
	information_ratio REAL, 
	up_capture REAL, 
	down_capture REAL, 
	risk_free_rate REAL NOT NULL, 
	definition_version INTEGER NOT NULL, 
	reason TEXT NOT NULL, 
	PRIMARY KEY (calc_date, fund_code, window), 
	FOREIGN KEY(fund_code) REFERENCES fund_info (fund_code), 
	CONSTRAINT ck_fund_metrics_fund_code_0 CHECK (length("fund_code") = 6 AND "fund_code" NOT GLOB '*[^0-9]*'), 
	CONSTRAINT ck_fund_metrics_calc_date_0 CHECK ("calc_date" BETWEEN 19900101 AND 21001231), 
	CONSTRAINT ck_fund_metrics_window_0 CHECK ("window" IN ('1m', '3m', '6m', '1y', '2y', '3y', '5y', 'ytd', 'inception')), 
	CONSTRAINT ck_fund_metrics_status_0 CHECK ("status" IN ('provisional', 'final')), 
	CONSTRAINT ck_fund_metrics_coverage_0 CHECK ("coverage" BETWEEN 0 AND 1), 
	CONSTRAINT ck_fund_metrics_start_date_0 CHECK ("start_date" BETWEEN 19900101 AND 21001231), 
	CONSTRAINT ck_fund_metrics_end_date_0 CHECK ("end_date" BETWEEN 19900101 AND 21001231), 
	CONSTRAINT ck_fund_metrics_observations_0 CHECK ("observations" >= 0), 
	CONSTRAINT ck_fund_metrics_periods_per_year_0 CHECK ("periods_per_year" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_fund_metrics_periods_per_year_1 CHECK ("periods_per_year" > 0), 
	CONSTRAINT ck_fund_metrics_total_return_0 CHECK ("total_return" BETWEEN -1 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_fund_metrics_annualized_return_0 CHECK ("annualized_return" BETWEEN -1 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_fund_metrics_annualized_volatility_0 CHECK ("annualized_volatility" BETWEEN 0 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_fund_metrics_downside_deviation_0 CHECK ("downside_deviation" BETWEEN 0 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_fund_metrics_sharpe_ratio_0 CHECK ("sharpe_ratio" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_fund_metrics_sortino_ratio_0 CHECK ("sortino_ratio" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_fund_metrics_calmar_ratio_0 CHECK ("calmar_ratio" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_fund_metrics_omega_ratio_0 CHECK ("omega_ratio" BETWEEN 0 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_fund_metrics_max_drawdown_0 CHECK ("max_drawdown" BETWEEN -1 AND 0), 
	CONSTRAINT ck_fund_metrics_max_drawdown_peak_0 CHECK ("max_drawdown_peak" BETWEEN 19900101 AND 21001231), 
	CONSTRAINT ck_fund_metrics_max_drawdown_trough_0 CHECK ("max_drawdown_trough" BETWEEN 19900101 AND 21001231), 
	CONSTRAINT ck_fund_metrics_max_drawdown_recovery_0 CHECK ("max_drawdown_recovery" BETWEEN 19900101 AND 21001231), 
	CONSTRAINT ck_fund_metrics_max_drawdown_days_0 CHECK ("max_drawdown_days" >= 1), 
	CONSTRAINT ck_fund_metrics_current_drawdown_0 CHECK ("current_drawdown" BETWEEN -1 AND 0), 
	CONSTRAINT ck_fund_metrics_var_95_0 CHECK ("var_95" BETWEEN -1 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_fund_metrics_cvar_95_0 CHECK ("cvar_95" BETWEEN -1 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_fund_metrics_skewness_0 CHECK ("skewness" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_fund_metrics_kurtosis_0 CHECK ("kurtosis" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_fund_metrics_best_day_0 CHECK ("best_day" BETWEEN -1 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_fund_metrics_worst_day_0 CHECK ("worst_day" BETWEEN -1 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_fund_metrics_month_win_rate_0 CHECK ("month_win_rate" BETWEEN 0 AND 1), 
	CONSTRAINT ck_fund_metrics_ulcer_index_0 CHECK ("ulcer_index" BETWEEN 0 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_fund_metrics_benchmark_code_0 CHECK (length("benchmark_code") <= 20), 
	CONSTRAINT ck_fund_metrics_alpha_0 CHECK ("alpha" BETWEEN -1 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_fund_metrics_beta_0 CHECK ("beta" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_fund_metrics_r_squared_0 CHECK ("r_squared" BETWEEN 0 AND 1), 
	CONSTRAINT ck_fund_metrics_correlation_0 CHECK ("correlation" BETWEEN -1 AND 1), 
	CONSTRAINT ck_fund_metrics_tracking_error_0 CHECK ("tracking_error" BETWEEN 0 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_fund_metrics_information_ratio_0 CHECK ("information_ratio" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_fund_metrics_up_capture_0 CHECK ("up_capture" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_fund_metrics_down_capture_0 CHECK ("down_capture" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_fund_metrics_risk_free_rate_0 CHECK ("risk_free_rate" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_fund_metrics_definition_version_0 CHECK ("definition_version" >= 1), 
	CONSTRAINT ck_fund_metrics_reason_0 CHECK (length("reason") <= 600)
)
 WITHOUT ROWID,
 STRICT

;
CREATE TABLE fund_nav (
	fund_code TEXT NOT NULL, 
	nav_date INTEGER NOT NULL, 
	batch_id TEXT NOT NULL, 
	unit_nav REAL, 
	acc_nav REAL, 
	growth_pct REAL, 
	yield_per_10k REAL, 
	yield_7d_pct REAL, 
	defect TEXT NOT NULL, 
	PRIMARY KEY (batch_id, nav_date, fund_code), 
	FOREIGN KEY(batch_id) REFERENCES collection_batch (batch_id), 
	CONSTRAINT ck_fund_nav_fund_code_0 CHECK (length("fund_code") = 6 AND "fund_code" NOT GLOB '*[^0-9]*'), 
	CONSTRAINT ck_fund_nav_nav_date_0 CHECK ("nav_date" BETWEEN 19900101 AND 21001231), 
	CONSTRAINT ck_fund_nav_batch_id_0 CHECK (length("batch_id") <= 40), 
	CONSTRAINT ck_fund_nav_unit_nav_0 CHECK ("unit_nav" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_fund_nav_acc_nav_0 CHECK ("acc_nav" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_fund_nav_growth_pct_0 CHECK ("growth_pct" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_fund_nav_yield_per_10k_0 CHECK ("yield_per_10k" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_fund_nav_yield_7d_pct_0 CHECK ("yield_7d_pct" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_fund_nav_defect_0 CHECK (length("defect") <= 400)
)
 WITHOUT ROWID,
 STRICT

;
INSERT INTO "fund_nav" VALUES('000001',20260917,'w1',1.5,2.5,0.1,NULL,NULL,'');
INSERT INTO "fund_nav" VALUES('000002',20260917,'w1',NULL,NULL,NULL,3.00000000000000044408e-01,1.5,'');
INSERT INTO "fund_nav" VALUES('000001',20260918,'w2',1.6,2.6,6.67,NULL,NULL,'');
CREATE TABLE fund_peers (
	fund_code TEXT NOT NULL, 
	calc_date INTEGER NOT NULL, 
	window TEXT NOT NULL, 
	total_return_rank INTEGER, 
	total_return_peers INTEGER, 
	total_return_percentile REAL, 
	annualized_return_rank INTEGER, 
	annualized_return_peers INTEGER, 
	annualized_return_percentile REAL, 
	annualized_volatility_rank INTEGER, 
	annualized_volatility_peers INTEGER, 
	annualized_volatility_percentile REAL, 
	sharpe_ratio_rank INTEGER, 
	sharpe_ratio_peers INTEGER, 
	sharpe_ratio_percentile REAL, 
	sortino_ratio_rank INTEGER, 
	sortino_ratio_peers INTEGER, 
	sortino_ratio_percentile REAL, 
	calmar_ratio_rank INTEGER, 
	calmar_ratio_peers INTEGER, 
	calmar_ratio_percentile REAL, 
	max_drawdown_rank INTEGER, 
	max_drawdown_peers INTEGER, 
	max_drawdown_percentile REAL, 
	alpha_rank INTEGER, 
	alpha_peers INTEGER, 
	alpha_percentile REAL, 
	information_ratio_rank INTEGER, 
	information_ratio_peers INTEGER, 
	information_ratio_percentile REAL, 
	PRIMARY KEY (calc_date, fund_code, window), 
	FOREIGN KEY(fund_code) REFERENCES fund_info (fund_code), 
	CONSTRAINT ck_fund_peers_fund_code_0 CHECK (length("fund_code") = 6 AND "fund_code" NOT GLOB '*[^0-9]*'), 
	CONSTRAINT ck_fund_peers_calc_date_0 CHECK ("calc_date" BETWEEN 19900101 AND 21001231), 
	CONSTRAINT ck_fund_peers_window_0 CHECK ("window" IN ('1m', '3m', '6m', '1y', '2y', '3y', '5y', 'ytd', 'inception')), 
	CONSTRAINT ck_fund_peers_total_return_rank_0 CHECK ("total_return_rank" >= 1), 
	CONSTRAINT ck_fund_peers_total_return_peers_0 CHECK ("total_return_peers" >= 1), 
	CONSTRAINT ck_fund_peers_total_return_percentile_0 CHECK ("total_return_percentile" BETWEEN 0 AND 1), 
	CONSTRAINT ck_fund_peers_annualized_return_rank_0 CHECK ("annualized_return_rank" >= 1), 
	CONSTRAINT ck_fund_peers_annualized_return_peers_0 CHECK ("annualized_return_peers" >= 1), 
	CONSTRAINT ck_fund_peers_annualized_return_percentile_0 CHECK ("annualized_return_percentile" BETWEEN 0 AND 1), 
	CONSTRAINT ck_fund_peers_annualized_volatility_rank_0 CHECK ("annualized_volatility_rank" >= 1), 
	CONSTRAINT ck_fund_peers_annualized_volatility_peers_0 CHECK ("annualized_volatility_peers" >= 1), 
	CONSTRAINT ck_fund_peers_annualized_volatility_percentile_0 CHECK ("annualized_volatility_percentile" BETWEEN 0 AND 1), 
	CONSTRAINT ck_fund_peers_sharpe_ratio_rank_0 CHECK ("sharpe_ratio_rank" >= 1), 
	CONSTRAINT ck_fund_peers_sharpe_ratio_peers_0 CHECK ("sharpe_ratio_peers" >= 1), 
	CONSTRAINT ck_fund_peers_sharpe_ratio_percentile_0 CHECK ("sharpe_ratio_percentile" BETWEEN 0 AND 1), 
	CONSTRAINT ck_fund_peers_sortino_ratio_rank_0 CHECK ("sortino_ratio_rank" >= 1), 
	CONSTRAINT ck_fund_peers_sortino_ratio_peers_0 CHECK ("sortino_ratio_peers" >= 1), 
	CONSTRAINT ck_fund_peers_sortino_ratio_percentile_0 CHECK ("sortino_ratio_percentile" BETWEEN 0 AND 1), 
	CONSTRAINT ck_fund_peers_calmar_ratio_rank_0 CHECK ("calmar_ratio_rank" >= 1), 
	CONSTRAINT ck_fund_peers_calmar_ratio_peers_0 CHECK ("calmar_ratio_peers" >= 1), 
	CONSTRAINT ck_fund_peers_calmar_ratio_percentile_0 CHECK ("calmar_ratio_percentile" BETWEEN 0 AND 1), 
	CONSTRAINT ck_fund_peers_max_drawdown_rank_0 CHECK ("max_drawdown_rank" >= 1), 
	CONSTRAINT ck_fund_peers_max_drawdown_peers_0 CHECK ("max_drawdown_peers" >= 1), 
	CONSTRAINT ck_fund_peers_max_drawdown_percentile_0 CHECK ("max_drawdown_percentile" BETWEEN 0 AND 1), 
	CONSTRAINT ck_fund_peers_alpha_rank_0 CHECK ("alpha_rank" >= 1), 
	CONSTRAINT ck_fund_peers_alpha_peers_0 CHECK ("alpha_peers" >= 1), 
	CONSTRAINT ck_fund_peers_alpha_percentile_0 CHECK ("alpha_percentile" BETWEEN 0 AND 1), 
	CONSTRAINT ck_fund_peers_information_ratio_rank_0 CHECK ("information_ratio_rank" >= 1), 
	CONSTRAINT ck_fund_peers_information_ratio_peers_0 CHECK ("information_ratio_peers" >= 1), 
	CONSTRAINT ck_fund_peers_information_ratio_percentile_0 CHECK ("information_ratio_percentile" BETWEEN 0 AND 1)
)
 WITHOUT ROWID,
 STRICT

;
CREATE TABLE nav_quarantine (
	batch_id TEXT NOT NULL, 
	fund_code TEXT NOT NULL, 
	nav_date INTEGER, 
	rule TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	unit_nav REAL, 
	acc_nav REAL, 
	growth_pct REAL, 
	yield_per_10k REAL, 
	yield_7d_pct REAL, 
	state TEXT NOT NULL, 
	created_at INTEGER NOT NULL, 
	decided_because TEXT NOT NULL, 
	id TEXT NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT ck_nav_quarantine_batch_id_0 CHECK (length("batch_id") <= 40), 
	CONSTRAINT ck_nav_quarantine_fund_code_0 CHECK (length("fund_code") <= 64), 
	CONSTRAINT ck_nav_quarantine_nav_date_0 CHECK ("nav_date" BETWEEN 19900101 AND 21001231), 
	CONSTRAINT ck_nav_quarantine_rule_0 CHECK (length("rule") <= 200), 
	CONSTRAINT ck_nav_quarantine_reason_0 CHECK (length("reason") <= 600), 
	CONSTRAINT ck_nav_quarantine_unit_nav_0 CHECK ("unit_nav" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_nav_quarantine_acc_nav_0 CHECK ("acc_nav" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_nav_quarantine_growth_pct_0 CHECK ("growth_pct" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_nav_quarantine_yield_per_10k_0 CHECK ("yield_per_10k" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_nav_quarantine_yield_7d_pct_0 CHECK ("yield_7d_pct" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_nav_quarantine_state_0 CHECK ("state" IN ('held', 'accepted', 'rejected')), 
	CONSTRAINT ck_nav_quarantine_decided_because_0 CHECK (length("decided_because") <= 600), 
	CONSTRAINT ck_nav_quarantine_id_0 CHECK (length("id") <= 40)
)
 WITHOUT ROWID,
 STRICT

;
INSERT INTO "nav_quarantine" VALUES('w1','000002',20260917,'R07_nav_bounds','too high',1000000000.0,NULL,NULL,NULL,NULL,'held',20260917190000,'','q1');
INSERT INTO "nav_quarantine" VALUES('w1','x''y
',NULL,'R01','bad 🀄',NULL,NULL,NULL,NULL,NULL,'accepted',20260917190000,'seen again in batch w2','q2');
CREATE TABLE nav_revision (
	fund_code TEXT NOT NULL, 
	nav_date INTEGER NOT NULL, 
	superseded_at INTEGER NOT NULL, 
	unit_nav REAL, 
	acc_nav REAL, 
	growth_pct REAL, 
	yield_per_10k REAL, 
	yield_7d_pct REAL, 
	first_seen_at INTEGER NOT NULL, 
	batch_id TEXT NOT NULL, 
	superseded_by TEXT NOT NULL, 
	change_pct REAL, 
	PRIMARY KEY (fund_code, nav_date, superseded_at), 
	FOREIGN KEY(fund_code) REFERENCES fund_info (fund_code), 
	CONSTRAINT ck_nav_revision_fund_code_0 CHECK (length("fund_code") = 6 AND "fund_code" NOT GLOB '*[^0-9]*'), 
	CONSTRAINT ck_nav_revision_nav_date_0 CHECK ("nav_date" BETWEEN 19900101 AND 21001231), 
	CONSTRAINT ck_nav_revision_unit_nav_0 CHECK ("unit_nav" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_nav_revision_unit_nav_1 CHECK ("unit_nav" > 0), 
	CONSTRAINT ck_nav_revision_unit_nav_2 CHECK ("unit_nav" < 1000000.0), 
	CONSTRAINT ck_nav_revision_acc_nav_0 CHECK ("acc_nav" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_nav_revision_acc_nav_1 CHECK ("acc_nav" > 0), 
	CONSTRAINT ck_nav_revision_acc_nav_2 CHECK ("acc_nav" < 1000000.0), 
	CONSTRAINT ck_nav_revision_growth_pct_0 CHECK ("growth_pct" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_nav_revision_growth_pct_1 CHECK ("growth_pct" > -100), 
	CONSTRAINT ck_nav_revision_growth_pct_2 CHECK ("growth_pct" < 100000.0), 
	CONSTRAINT ck_nav_revision_yield_per_10k_0 CHECK ("yield_per_10k" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_nav_revision_yield_per_10k_1 CHECK ("yield_per_10k" > -10000.0), 
	CONSTRAINT ck_nav_revision_yield_per_10k_2 CHECK ("yield_per_10k" < 100000.0), 
	CONSTRAINT ck_nav_revision_yield_7d_pct_0 CHECK ("yield_7d_pct" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_nav_revision_yield_7d_pct_1 CHECK ("yield_7d_pct" > -100), 
	CONSTRAINT ck_nav_revision_yield_7d_pct_2 CHECK ("yield_7d_pct" < 10000.0), 
	CONSTRAINT ck_nav_revision_batch_id_0 CHECK (length("batch_id") <= 40), 
	CONSTRAINT ck_nav_revision_superseded_by_0 CHECK (length("superseded_by") <= 40), 
	CONSTRAINT ck_nav_revision_change_pct_0 CHECK ("change_pct" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308)
)
 WITHOUT ROWID,
 STRICT

;
INSERT INTO "nav_revision" VALUES('000001',20260917,20260917200000,1.4985,2.5,0.1,NULL,NULL,20260917190000,'w1','w1',0.1);
INSERT INTO "nav_revision" VALUES('000001',20260917,20260917210000,1.504,2.5,0.1,NULL,NULL,20260917200000,'w1','w1',-0.266);
INSERT INTO "nav_revision" VALUES('000001',20260917,20260917220000,1.52,2.5,0.1,NULL,NULL,20260917210000,'w1','w1',-1.3);
CREATE TABLE publish_log (
	batch_id TEXT NOT NULL, 
	published_at INTEGER NOT NULL, 
	newest_date INTEGER NOT NULL, 
	rows_read INTEGER NOT NULL, 
	rows_new INTEGER NOT NULL, 
	rows_changed INTEGER NOT NULL, 
	rows_unchanged INTEGER NOT NULL, 
	rows_quarantined INTEGER NOT NULL, 
	rows_pending INTEGER NOT NULL, 
	verdicts TEXT NOT NULL, 
	PRIMARY KEY (batch_id), 
	FOREIGN KEY(batch_id) REFERENCES collection_batch (batch_id), 
	CONSTRAINT ck_publish_log_batch_id_0 CHECK (length("batch_id") <= 40), 
	CONSTRAINT ck_publish_log_newest_date_0 CHECK ("newest_date" BETWEEN 19900101 AND 21001231), 
	CONSTRAINT ck_publish_log_rows_read_0 CHECK ("rows_read" >= 0), 
	CONSTRAINT ck_publish_log_rows_new_0 CHECK ("rows_new" >= 0), 
	CONSTRAINT ck_publish_log_rows_changed_0 CHECK ("rows_changed" >= 0), 
	CONSTRAINT ck_publish_log_rows_unchanged_0 CHECK ("rows_unchanged" >= 0), 
	CONSTRAINT ck_publish_log_rows_quarantined_0 CHECK ("rows_quarantined" >= 0), 
	CONSTRAINT ck_publish_log_rows_pending_0 CHECK ("rows_pending" >= 0), 
	CONSTRAINT ck_publish_log_verdicts_0 CHECK (length("verdicts") <= 1000000)
)
 WITHOUT ROWID,
 STRICT

;
INSERT INTO "publish_log" VALUES('w1',20260917193000,20260917,2,1,0,0,0,1,'[]');
CREATE TABLE risk_free_rate (
	since INTEGER NOT NULL, 
	rate REAL NOT NULL, 
	note TEXT NOT NULL, 
	PRIMARY KEY (since), 
	CONSTRAINT ck_risk_free_rate_since_0 CHECK ("since" BETWEEN 19900101 AND 21001231), 
	CONSTRAINT ck_risk_free_rate_rate_0 CHECK ("rate" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_risk_free_rate_rate_1 CHECK ("rate" > -0.1), 
	CONSTRAINT ck_risk_free_rate_rate_2 CHECK ("rate" < 1), 
	CONSTRAINT ck_risk_free_rate_note_0 CHECK (length("note") <= 200)
)
 WITHOUT ROWID,
 STRICT

;
CREATE TABLE validated_nav (
	fund_code TEXT NOT NULL, 
	nav_date INTEGER NOT NULL, 
	unit_nav REAL, 
	acc_nav REAL, 
	growth_pct REAL, 
	yield_per_10k REAL, 
	yield_7d_pct REAL, 
	total_return_index REAL NOT NULL, 
	return_status TEXT NOT NULL, 
	first_seen_at INTEGER NOT NULL, 
	batch_id TEXT NOT NULL, 
	PRIMARY KEY (nav_date, fund_code), 
	FOREIGN KEY(fund_code) REFERENCES fund_info (fund_code), 
	CONSTRAINT ck_validated_nav_fund_code_0 CHECK (length("fund_code") = 6 AND "fund_code" NOT GLOB '*[^0-9]*'), 
	CONSTRAINT ck_validated_nav_nav_date_0 CHECK ("nav_date" BETWEEN 19900101 AND 21001231), 
	CONSTRAINT ck_validated_nav_unit_nav_0 CHECK ("unit_nav" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_validated_nav_unit_nav_1 CHECK ("unit_nav" > 0), 
	CONSTRAINT ck_validated_nav_unit_nav_2 CHECK ("unit_nav" < 1000000.0), 
	CONSTRAINT ck_validated_nav_acc_nav_0 CHECK ("acc_nav" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_validated_nav_acc_nav_1 CHECK ("acc_nav" > 0), 
	CONSTRAINT ck_validated_nav_acc_nav_2 CHECK ("acc_nav" < 1000000.0), 
	CONSTRAINT ck_validated_nav_growth_pct_0 CHECK ("growth_pct" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_validated_nav_growth_pct_1 CHECK ("growth_pct" > -100), 
	CONSTRAINT ck_validated_nav_growth_pct_2 CHECK ("growth_pct" < 100000.0), 
	CONSTRAINT ck_validated_nav_yield_per_10k_0 CHECK ("yield_per_10k" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_validated_nav_yield_per_10k_1 CHECK ("yield_per_10k" > -10000.0), 
	CONSTRAINT ck_validated_nav_yield_per_10k_2 CHECK ("yield_per_10k" < 100000.0), 
	CONSTRAINT ck_validated_nav_yield_7d_pct_0 CHECK ("yield_7d_pct" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_validated_nav_yield_7d_pct_1 CHECK ("yield_7d_pct" > -100), 
	CONSTRAINT ck_validated_nav_yield_7d_pct_2 CHECK ("yield_7d_pct" < 10000.0), 
	CONSTRAINT ck_validated_nav_total_return_index_0 CHECK ("total_return_index" BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308), 
	CONSTRAINT ck_validated_nav_total_return_index_1 CHECK ("total_return_index" > 0), 
	CONSTRAINT ck_validated_nav_return_status_0 CHECK ("return_status" IN ('first', 'proven', 'single_source', 'suspected_event', 'unproven')), 
	CONSTRAINT ck_validated_nav_batch_id_0 CHECK (length("batch_id") <= 40)
)
 WITHOUT ROWID,
 STRICT

;
INSERT INTO "validated_nav" VALUES('000001',20260917,1.5,2.5,0.1,NULL,NULL,1.0,'first',20260917190000,'w1');
CREATE TABLE warehouse_meta (
	property TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (property), 
	CONSTRAINT ck_warehouse_meta_property_0 CHECK (length("property") <= 60), 
	CONSTRAINT ck_warehouse_meta_value_0 CHECK (length("value") <= 200)
)
 WITHOUT ROWID,
 STRICT

;
INSERT INTO "warehouse_meta" VALUES('schema_version','2');
INSERT INTO "warehouse_meta" VALUES('source','simulated');
CREATE INDEX ix_fund_events_batch_id ON fund_events (batch_id);
CREATE INDEX ix_nav_quarantine_batch_id ON nav_quarantine (batch_id);
CREATE INDEX ix_nav_quarantine_fund_code_nav_date ON nav_quarantine (fund_code, nav_date);
CREATE INDEX ix_validated_nav_fund_code_nav_date ON validated_nav (fund_code, nav_date);
CREATE INDEX ix_fund_metrics_fund_code_window_calc_date ON fund_metrics (fund_code, window, calc_date);
COMMIT;
