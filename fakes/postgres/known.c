/* Names that a PostgreSQL 15 server has of its own, read from the pg_proc, pg_class, pg_type and
 * pg_settings of one (15.20). A statement that uses one which the fake does not have is "not
 * simulated"; without this list it would be a lie: "does not exist". */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "fakes/postgres/catalog.h"

/* clang-format off */
static const char *const functions[] = {
    " abbrev abs aclcontains acldefault aclinsert aclremove acos acosd acosh age amvalidate area array_agg ",
    " array_append array_dims array_fill array_length array_lower array_ndims array_position array_positions ",
    " array_prepend array_remove array_replace array_to_json array_to_string array_to_tsvector array_upper asin asind ",
    " asinh atan atan2 atan2d atand atanh avg bit bit_and bit_count bit_length bit_or bit_xor bool_and bool_or ",
    " bound_box bpchar broadcast cardinality cash_words cbrt ceil ceiling center char_length character_length ",
    " clock_timestamp col_description concat concat_ws corr cos cosd cosh cot cotd count covar_pop covar_samp ",
    " cume_dist current_database current_query current_schema current_schemas current_setting current_user currtid2 ",
    " currval cursor_to_xml cursor_to_xmlschema database_to_xml database_to_xml_and_xmlschema database_to_xmlschema ",
    " date_bin date_part date_trunc daterange daterange_subdiff degrees dense_rank dexp diagonal diameter div dlog1 ",
    " dlog10 dround dtrunc enum_first enum_last enum_range every exp extract factorial family first_value floor ",
    " fmgr_c_validator fmgr_internal_validator fmgr_sql_validator format format_type gcd gen_random_uuid ",
    " generate_series generate_subscripts get_bit get_byte get_current_ts_config getdatabaseencoding getpgusername ",
    " has_any_column_privilege has_column_privilege has_database_privilege has_foreign_data_wrapper_privilege ",
    " has_function_privilege has_language_privilege has_parameter_privilege has_schema_privilege ",
    " has_sequence_privilege has_server_privilege has_table_privilege has_tablespace_privilege has_type_privilege ",
    " height host hostmask in_range inet_client_addr inet_client_port inet_server_addr inet_server_port initcap ",
    " int4inc int4range int4range_subdiff int8dec int8dec_any int8inc int8inc_any int8range int8range_subdiff interval ",
    " is_normalized isclosed isempty isfinite ishorizontal isopen isparallel isperp isvertical json_agg ",
    " json_array_elements json_array_elements_text json_array_length json_build_array json_build_object json_each ",
    " json_each_text json_extract_path json_extract_path_text json_object json_object_agg json_object_keys ",
    " json_populate_record json_populate_recordset json_strip_nulls json_to_record json_to_recordset json_to_tsvector ",
    " json_typeof jsonb_agg jsonb_array_elements jsonb_array_elements_text jsonb_array_length jsonb_build_array ",
    " jsonb_build_object jsonb_each jsonb_each_text jsonb_extract_path jsonb_extract_path_text jsonb_insert ",
    " jsonb_object jsonb_object_agg jsonb_object_keys jsonb_path_exists jsonb_path_exists_tz jsonb_path_match ",
    " jsonb_path_match_tz jsonb_path_query jsonb_path_query_array jsonb_path_query_array_tz jsonb_path_query_first ",
    " jsonb_path_query_first_tz jsonb_path_query_tz jsonb_populate_record jsonb_populate_recordset jsonb_pretty ",
    " jsonb_set jsonb_set_lax jsonb_strip_nulls jsonb_to_record jsonb_to_recordset jsonb_to_tsvector jsonb_typeof ",
    " justify_days justify_hours justify_interval lag last_value lastval lcm lead left length like line ln lo_export ",
    " lo_import lower lpad lseg ltrim macaddr8_set7bit make_date make_interval make_time make_timestamp ",
    " make_timestamptz makeaclitem masklen max md5 min min_scale mod mode mxid_age nameconcatoid netmask network ",
    " nextval normalize notlike now npoints nth_value ntile num_nonnulls num_nulls numeric numeric_div_trunc ",
    " numeric_exp numeric_inc numeric_ln numeric_log numeric_sqrt numnode numrange numrange_subdiff obj_description ",
    " octet_length oidvectortypes overlaps overlay parse_ident pclose percent_rank percentile_cont percentile_disc ",
    " pg_advisory_lock pg_advisory_lock_shared pg_advisory_unlock pg_advisory_unlock_all pg_advisory_unlock_shared ",
    " pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_available_extension_versions pg_available_extensions ",
    " pg_backend_pid pg_backup_start pg_backup_stop pg_blocking_pids pg_cancel_backend pg_client_encoding ",
    " pg_collation_actual_version pg_collation_for pg_collation_is_visible pg_column_compression ",
    " pg_column_is_updatable pg_column_size pg_conf_load_time pg_config pg_control_checkpoint pg_control_init ",
    " pg_control_recovery pg_control_system pg_conversion_is_visible pg_copy_logical_replication_slot ",
    " pg_copy_physical_replication_slot pg_create_logical_replication_slot pg_create_physical_replication_slot ",
    " pg_create_restore_point pg_current_logfile pg_current_snapshot pg_current_wal_flush_lsn ",
    " pg_current_wal_insert_lsn pg_current_wal_lsn pg_current_xact_id pg_current_xact_id_if_assigned pg_cursor ",
    " pg_database_collation_actual_version pg_database_size pg_describe_object pg_drop_replication_slot ",
    " pg_encoding_max_length pg_event_trigger_ddl_commands pg_event_trigger_dropped_objects ",
    " pg_event_trigger_table_rewrite_oid pg_event_trigger_table_rewrite_reason pg_export_snapshot ",
    " pg_extension_config_dump pg_extension_update_paths pg_filenode_relation pg_function_is_visible ",
    " pg_get_backend_memory_contexts pg_get_catalog_foreign_keys pg_get_constraintdef pg_get_expr ",
    " pg_get_function_arg_default pg_get_function_arguments pg_get_function_identity_arguments pg_get_function_result ",
    " pg_get_function_sqlbody pg_get_functiondef pg_get_indexdef pg_get_keywords pg_get_multixact_members ",
    " pg_get_object_address pg_get_partition_constraintdef pg_get_partkeydef pg_get_publication_tables ",
    " pg_get_replica_identity_index pg_get_replication_slots pg_get_ruledef pg_get_serial_sequence ",
    " pg_get_shmem_allocations pg_get_statisticsobjdef pg_get_statisticsobjdef_columns ",
    " pg_get_statisticsobjdef_expressions pg_get_triggerdef pg_get_userbyid pg_get_viewdef ",
    " pg_get_wal_replay_pause_state pg_get_wal_resource_managers pg_has_role pg_hba_file_rules pg_ident_file_mappings ",
    " pg_identify_object pg_identify_object_as_address pg_import_system_collations pg_index_column_has_property ",
    " pg_index_has_property pg_indexam_has_property pg_indexam_progress_phasename pg_indexes_size pg_is_in_recovery ",
    " pg_is_other_temp_schema pg_is_wal_replay_paused pg_isolation_test_session_is_blocked pg_jit_available ",
    " pg_last_committed_xact pg_last_wal_receive_lsn pg_last_wal_replay_lsn pg_last_xact_replay_timestamp ",
    " pg_listening_channels pg_lock_status pg_log_backend_memory_contexts pg_logical_emit_message ",
    " pg_logical_slot_get_binary_changes pg_logical_slot_get_changes pg_logical_slot_peek_binary_changes ",
    " pg_logical_slot_peek_changes pg_ls_archive_statusdir pg_ls_dir pg_ls_logdir pg_ls_logicalmapdir ",
    " pg_ls_logicalsnapdir pg_ls_replslotdir pg_ls_tmpdir pg_ls_waldir pg_mcv_list_items pg_my_temp_schema pg_nextoid ",
    " pg_notification_queue_usage pg_notify pg_opclass_is_visible pg_operator_is_visible pg_opfamily_is_visible ",
    " pg_partition_ancestors pg_partition_root pg_partition_tree pg_postmaster_start_time pg_prepared_statement ",
    " pg_prepared_xact pg_promote pg_read_binary_file pg_read_file pg_read_file_old pg_relation_filenode ",
    " pg_relation_filepath pg_relation_is_publishable pg_relation_is_updatable pg_relation_size pg_reload_conf ",
    " pg_replication_origin_advance pg_replication_origin_create pg_replication_origin_drop pg_replication_origin_oid ",
    " pg_replication_origin_progress pg_replication_origin_session_is_setup pg_replication_origin_session_progress ",
    " pg_replication_origin_session_reset pg_replication_origin_session_setup pg_replication_origin_xact_reset ",
    " pg_replication_origin_xact_setup pg_replication_slot_advance pg_rotate_logfile pg_rotate_logfile_old ",
    " pg_safe_snapshot_blocking_pids pg_sequence_last_value pg_sequence_parameters pg_settings_get_flags ",
    " pg_show_all_file_settings pg_show_all_settings pg_show_replication_origin_status pg_sleep pg_sleep_for ",
    " pg_sleep_until pg_snapshot_xip pg_snapshot_xmax pg_snapshot_xmin pg_stat_clear_snapshot pg_stat_file ",
    " pg_stat_force_next_flush pg_stat_have_stats pg_stat_reset pg_stat_reset_replication_slot pg_stat_reset_shared ",
    " pg_stat_reset_single_function_counters pg_stat_reset_single_table_counters pg_stat_reset_slru ",
    " pg_stat_reset_subscription_stats pg_statistics_obj_is_visible pg_stop_making_pinned_objects pg_switch_wal ",
    " pg_table_is_visible pg_table_size pg_tablespace_databases pg_tablespace_location pg_tablespace_size ",
    " pg_terminate_backend pg_timezone_abbrevs pg_timezone_names pg_total_relation_size pg_trigger_depth ",
    " pg_try_advisory_lock pg_try_advisory_lock_shared pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared ",
    " pg_ts_config_is_visible pg_ts_dict_is_visible pg_ts_parser_is_visible pg_ts_template_is_visible ",
    " pg_type_is_visible pg_typeof pg_visible_in_snapshot pg_wal_lsn_diff pg_wal_replay_pause pg_wal_replay_resume ",
    " pg_walfile_name pg_walfile_name_offset pg_xact_commit_timestamp pg_xact_commit_timestamp_origin pg_xact_status ",
    " phraseto_tsquery pi plainto_tsquery plpgsql_call_handler plpgsql_validator point popen position ",
    " postgresql_fdw_validator pow power query_to_xml query_to_xml_and_xmlschema query_to_xmlschema querytree ",
    " quote_ident quote_literal quote_nullable radians radius random rank regexp_count regexp_instr regexp_like ",
    " regexp_match regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table regexp_substr regr_avgx ",
    " regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy repeat replace reverse right ",
    " round row_number row_security_active row_to_json rpad rtrim scale schema_to_xml schema_to_xml_and_xmlschema ",
    " schema_to_xmlschema session_user set_bit set_byte set_config set_masklen setseed setval setweight sha224 sha256 ",
    " sha384 sha512 similar_to_escape shobj_description sign sin sind sinh slope spg_poly_quad_compress split_part sqrt ",
    " statement_timestamp stddev stddev_pop stddev_samp string_agg string_to_array string_to_table strip strpos substr ",
    " substring sum table_to_xml table_to_xml_and_xmlschema table_to_xmlschema tan tand tanh text textlen time ",
    " timeofday timestamp timestamptz timetz timezone to_ascii to_char to_json to_jsonb to_tsquery to_tsvector ",
    " transaction_timestamp translate trim_array trim_scale trunc ts_headline ts_rank tsrange tsrange_subdiff ",
    " tstzrange tstzrange_subdiff txid_current txid_current_if_assigned txid_current_snapshot txid_snapshot_xip ",
    " txid_snapshot_xmax txid_snapshot_xmin txid_status txid_visible_in_snapshot unistr unnest upper upper_inc ",
    " upper_inf var_pop var_samp varbit varchar variance version websearch_to_tsquery width width_bucket xmlagg xpath ",
    " xpath_exists ",
    NULL,
};

static const char *const relations[] = {
    " information_schema.administrable_role_authorizations information_schema.applicable_roles ",
    " information_schema.attributes information_schema.character_sets ",
    " information_schema.check_constraint_routine_usage information_schema.check_constraints ",
    " information_schema.collation_character_set_applicability information_schema.collations ",
    " information_schema.column_column_usage information_schema.column_domain_usage information_schema.column_options ",
    " information_schema.column_privileges information_schema.column_udt_usage information_schema.columns ",
    " information_schema.constraint_column_usage information_schema.constraint_table_usage ",
    " information_schema.data_type_privileges information_schema.domain_constraints ",
    " information_schema.domain_udt_usage information_schema.domains information_schema.element_types ",
    " information_schema.enabled_roles information_schema.foreign_data_wrapper_options ",
    " information_schema.foreign_data_wrappers information_schema.foreign_server_options ",
    " information_schema.foreign_servers information_schema.foreign_table_options information_schema.foreign_tables ",
    " information_schema.information_schema_catalog_name information_schema.key_column_usage ",
    " information_schema.parameters information_schema.referential_constraints information_schema.role_column_grants ",
    " information_schema.role_routine_grants information_schema.role_table_grants information_schema.role_udt_grants ",
    " information_schema.role_usage_grants information_schema.routine_column_usage ",
    " information_schema.routine_privileges information_schema.routine_routine_usage ",
    " information_schema.routine_sequence_usage information_schema.routine_table_usage information_schema.routines ",
    " information_schema.schemata information_schema.sequences information_schema.sql_features ",
    " information_schema.sql_implementation_info information_schema.sql_parts information_schema.sql_sizing ",
    " information_schema.table_constraints information_schema.table_privileges information_schema.tables ",
    " information_schema.transforms information_schema.triggered_update_columns information_schema.triggers ",
    " information_schema.udt_privileges information_schema.usage_privileges information_schema.user_defined_types ",
    " information_schema.user_mapping_options information_schema.user_mappings information_schema.view_column_usage ",
    " information_schema.view_routine_usage information_schema.view_table_usage information_schema.views pg_aggregate ",
    " pg_am pg_amop pg_amproc pg_attrdef pg_attribute pg_auth_members pg_authid pg_available_extension_versions ",
    " pg_available_extensions pg_backend_memory_contexts pg_cast pg_class pg_collation pg_config pg_constraint ",
    " pg_conversion pg_cursors pg_database pg_db_role_setting pg_default_acl pg_depend pg_description pg_enum ",
    " pg_event_trigger pg_extension pg_file_settings pg_foreign_data_wrapper pg_foreign_server pg_foreign_table ",
    " pg_group pg_hba_file_rules pg_ident_file_mappings pg_index pg_indexes pg_inherits pg_init_privs pg_language ",
    " pg_largeobject pg_largeobject_metadata pg_locks pg_matviews pg_namespace pg_opclass pg_operator pg_opfamily ",
    " pg_parameter_acl pg_partitioned_table pg_policies pg_policy pg_prepared_statements pg_prepared_xacts pg_proc ",
    " pg_publication pg_publication_namespace pg_publication_rel pg_publication_tables pg_range pg_replication_origin ",
    " pg_replication_origin_status pg_replication_slots pg_rewrite pg_roles pg_rules pg_seclabel pg_seclabels ",
    " pg_sequence pg_sequences pg_settings pg_shadow pg_shdepend pg_shdescription pg_shmem_allocations pg_shseclabel ",
    " pg_stat_activity pg_stat_all_indexes pg_stat_all_tables pg_stat_archiver pg_stat_bgwriter pg_stat_database ",
    " pg_stat_database_conflicts pg_stat_gssapi pg_stat_progress_analyze pg_stat_progress_basebackup ",
    " pg_stat_progress_cluster pg_stat_progress_copy pg_stat_progress_create_index pg_stat_progress_vacuum ",
    " pg_stat_recovery_prefetch pg_stat_replication pg_stat_replication_slots pg_stat_slru pg_stat_ssl ",
    " pg_stat_subscription pg_stat_subscription_stats pg_stat_sys_indexes pg_stat_sys_tables pg_stat_user_functions ",
    " pg_stat_user_indexes pg_stat_user_tables pg_stat_wal pg_stat_wal_receiver pg_stat_xact_all_tables ",
    " pg_stat_xact_sys_tables pg_stat_xact_user_functions pg_stat_xact_user_tables pg_statio_all_indexes ",
    " pg_statio_all_sequences pg_statio_all_tables pg_statio_sys_indexes pg_statio_sys_sequences pg_statio_sys_tables ",
    " pg_statio_user_indexes pg_statio_user_sequences pg_statio_user_tables pg_statistic pg_statistic_ext ",
    " pg_statistic_ext_data pg_stats pg_stats_ext pg_stats_ext_exprs pg_subscription pg_subscription_rel pg_tables ",
    " pg_tablespace pg_timezone_abbrevs pg_timezone_names pg_transform pg_trigger pg_ts_config pg_ts_config_map ",
    " pg_ts_dict pg_ts_parser pg_ts_template pg_type pg_user pg_user_mapping pg_user_mappings pg_views ",
    NULL,
};

static const char *const types[] = {
    " aclitem any anyarray anycompatible anycompatiblearray anycompatiblemultirange anycompatiblenonarray ",
    " anycompatiblerange anyelement anyenum anymultirange anynonarray anyrange bit bool box bpchar bytea char cid cidr ",
    " circle cstring date datemultirange daterange event_trigger fdw_handler float4 float8 gtsvector index_am_handler ",
    " inet int2 int2vector int4 int4multirange int4range int8 int8multirange int8range internal interval json jsonb ",
    " jsonpath language_handler line lseg macaddr macaddr8 money name numeric nummultirange numrange oid oidvector ",
    " path pg_brin_bloom_summary pg_brin_minmax_multi_summary pg_ddl_command pg_dependencies pg_lsn pg_mcv_list ",
    " pg_ndistinct pg_node_tree pg_snapshot point polygon record refcursor regclass regcollation regconfig ",
    " regdictionary regnamespace regoper regoperator regproc regprocedure regrole regtype table_am_handler text tid ",
    " time timestamp timestamptz timetz trigger tsm_handler tsmultirange tsquery tsrange tstzmultirange tstzrange ",
    " tsvector txid_snapshot unknown uuid varbit varchar void xid xid8 xml ",
    NULL,
};
static const char *const settings[] = {
    " allow_in_place_tablespaces allow_system_table_mods application_name archive_cleanup_command archive_command ",
    " archive_library archive_mode archive_timeout array_nulls authentication_timeout autovacuum ",
    " autovacuum_analyze_scale_factor autovacuum_analyze_threshold autovacuum_freeze_max_age autovacuum_max_workers ",
    " autovacuum_multixact_freeze_max_age autovacuum_naptime autovacuum_vacuum_cost_delay autovacuum_vacuum_cost_limit ",
    " autovacuum_vacuum_insert_scale_factor autovacuum_vacuum_insert_threshold autovacuum_vacuum_scale_factor ",
    " autovacuum_vacuum_threshold autovacuum_work_mem backend_flush_after backslash_quote backtrace_functions ",
    " bgwriter_delay bgwriter_flush_after bgwriter_lru_maxpages bgwriter_lru_multiplier block_size bytea_output ",
    " check_function_bodies checkpoint_completion_target checkpoint_flush_after checkpoint_timeout checkpoint_warning ",
    " client_connection_check_interval client_encoding client_min_messages cluster_name commit_delay commit_siblings ",
    " composite_type_mismatch compute_query_id config_file constraint_exclusion cpu_index_tuple_cost cpu_operator_cost ",
    " cpu_tuple_cost cursor_tuple_fraction data_checksums data_directory data_directory_mode data_sync_retry datestyle ",
    " db_user_namespace deadlock_timeout default_statistics_target default_table_access_method default_tablespace ",
    " default_text_search_config default_toast_compression default_transaction_deferrable ",
    " default_transaction_isolation default_transaction_read_only dynamic_library_path dynamic_shared_memory_type ",
    " effective_cache_size effective_io_concurrency enable_indexscan enable_seqscan escape_string_warning event_source ",
    " exit_on_error extension_destdir external_pid_file extra_float_digits force_parallel_mode from_collapse_limit ",
    " fsync full_page_writes gin_fuzzy_search_limit gin_pending_list_limit hash_mem_multiplier hba_file hot_standby ",
    " hot_standby_feedback huge_page_size huge_pages ident_file idle_in_transaction_session_timeout ",
    " idle_session_timeout ignore_checksum_failure ignore_invalid_pages ignore_system_indexes in_hot_standby ",
    " integer_datetimes intervalstyle jit join_collapse_limit lc_collate lc_ctype lc_messages lc_monetary lc_numeric ",
    " lc_time listen_addresses local_preload_libraries lock_timeout log_autovacuum_min_duration log_checkpoints ",
    " log_connections log_destination log_directory log_disconnections log_duration log_error_verbosity ",
    " log_executor_stats log_file_mode log_filename log_hostname log_line_prefix log_lock_waits ",
    " log_min_duration_sample log_min_duration_statement log_min_error_statement log_min_messages ",
    " log_parameter_max_length log_parameter_max_length_on_error log_parser_stats log_planner_stats ",
    " log_recovery_conflict_waits log_replication_commands log_rotation_age log_rotation_size ",
    " log_startup_progress_interval log_statement log_statement_sample_rate log_statement_stats log_temp_files ",
    " log_timezone log_transaction_sample_rate log_truncate_on_rotation logging_collector logical_decoding_work_mem ",
    " maintenance_io_concurrency maintenance_work_mem max_connections max_files_per_process max_function_args ",
    " max_identifier_length max_index_keys max_locks_per_transaction max_logical_replication_workers ",
    " max_parallel_maintenance_workers max_parallel_workers max_parallel_workers_per_gather max_pred_locks_per_page ",
    " max_pred_locks_per_relation max_pred_locks_per_transaction max_prepared_transactions max_replication_slots ",
    " max_slot_wal_keep_size max_stack_depth max_standby_archive_delay max_standby_streaming_delay ",
    " max_sync_workers_per_subscription max_wal_senders max_wal_size max_worker_processes min_dynamic_shared_memory ",
    " min_parallel_index_scan_size min_parallel_table_scan_size min_wal_size old_snapshot_threshold ",
    " output_plugin_libraries parallel_leader_participation parallel_setup_cost parallel_tuple_cost ",
    " password_encryption plan_cache_mode port post_auth_delay pre_auth_delay primary_conninfo primary_slot_name ",
    " promote_trigger_file quote_all_identifiers random_page_cost recovery_end_command recovery_init_sync_method ",
    " recovery_min_apply_delay recovery_prefetch recovery_target recovery_target_action recovery_target_inclusive ",
    " recovery_target_lsn recovery_target_name recovery_target_time recovery_target_timeline recovery_target_xid ",
    " recursive_worktable_factor remove_temp_files_after_crash restart_after_crash restore_command ",
    " restrict_nonsystem_relation_kind row_security search_path segment_size seq_page_cost server_encoding ",
    " server_version server_version_num session_preload_libraries session_replication_role shared_buffers ",
    " shared_memory_size shared_memory_size_in_huge_pages shared_memory_type shared_preload_libraries ssl ",
    " ssl_cert_file standard_conforming_strings statement_timeout stats_fetch_consistency ",
    " superuser_reserved_connections synchronize_seqscans synchronous_commit synchronous_standby_names syslog_facility ",
    " syslog_ident syslog_sequence_numbers syslog_split_messages tcp_keepalives_count tcp_keepalives_idle ",
    " tcp_keepalives_interval tcp_user_timeout temp_buffers temp_file_limit temp_tablespaces timezone ",
    " timezone_abbreviations track_activities transaction_deferrable transaction_isolation transaction_read_only ",
    " transform_null_equals unix_socket_directories unix_socket_group unix_socket_permissions update_process_title ",
    " vacuum_cost_delay vacuum_cost_limit vacuum_cost_page_dirty vacuum_cost_page_hit vacuum_cost_page_miss ",
    " vacuum_defer_cleanup_age vacuum_failsafe_age vacuum_freeze_min_age vacuum_freeze_table_age ",
    " vacuum_multixact_failsafe_age vacuum_multixact_freeze_min_age vacuum_multixact_freeze_table_age wal_block_size ",
    " wal_buffers wal_compression wal_consistency_checking wal_decode_buffer_size wal_init_zero wal_keep_size ",
    " wal_level wal_log_hints wal_receiver_create_temp_slot wal_receiver_status_interval wal_receiver_timeout ",
    " wal_recycle wal_retrieve_retry_interval wal_segment_size wal_sender_timeout wal_skip_threshold wal_sync_method ",
    " wal_writer_delay wal_writer_flush_after work_mem xmlbinary xmloption zero_damaged_pages ",
    NULL,
};
/* clang-format on */

static bool holds(const char *const *lines, const char *schema, const char *name)
{
    char word[160];
    int n = snprintf(word, sizeof word, " %s%s%s ", schema, *schema ? "." : "", name);
    if (n >= (int)sizeof word || strchr(name, ' '))
        return false;
    for (; *lines; lines++) {
        if (strstr(*lines, word))
            return true;
    }
    return false;
}

bool pg_has_function(const char *name)
{
    return holds(functions, "", name);
}

bool pg_has_relation(const char *schema, const char *name)
{
    return holds(relations, strcmp(schema, "pg_catalog") == 0 ? "" : schema, name);
}

bool pg_has_type(const char *name)
{
    return holds(types, "", name);
}

bool pg_has_setting(const char *name)
{
    char lower[160];
    size_t n = strlen(name);
    for (size_t i = 0; i <= n && i < sizeof lower; i++)
        lower[i] = (char)tolower((unsigned char)name[i]);
    return n < sizeof lower && holds(settings, "", lower);
}
