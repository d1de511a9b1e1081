<?php

use Illuminate\Database\Migrations\Migration;
use Illuminate\Database\Schema\Blueprint;
use Illuminate\Support\Facades\Schema;

return new class extends Migration
{
    public function up()
    {
        Schema::table('orders', function (Blueprint $table) {
            $table->dropColumn('fax');
        });
        Schema::table('orders', function (Blueprint $table) {
            $table->renameColumn('status', 'state');
        });
        Schema::table('orders', function (Blueprint $table) {
            $table->text('note')->nullable();
        });
    }

    public function down()
    {
        Schema::table('orders', function (Blueprint $table) {
            $table->dropColumn('note');
        });
        Schema::table('orders', function (Blueprint $table) {
            $table->renameColumn('state', 'status');
        });
        Schema::table('orders', function (Blueprint $table) {
            $table->text('fax')->nullable();
        });
    }
};
